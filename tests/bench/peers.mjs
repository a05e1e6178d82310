// What cookie-signature and keygrip take to open a value under one key and to seal it under another, in nanoseconds,
// and OpenSSL for two HMACs: the floor.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import cookieSignature from "cookie-signature";
import Keygrip from "keygrip";
import { inRoot } from "../../src/build/tools.mjs";
import { summary } from "./figures.mjs";

const KEYS = ["old-key-of-the-ring-90be77ac13d84f2265", "new-key-of-the-ring-4f1d0a9be5c2773e81"];
const WARM_UP = 20_000;
const BATCH = 1_000;

/** Both libraries, on values as long as `lengths` has for their formats. */
export function nodePeers(lengths, repeats) {
  const [old, current] = KEYS;
  const payload = (format, rest) => "eyJ1c2VyIjo0Mn0".repeat(100).slice(0, lengths[format] - rest);
  const signed = cookieSignature.sign(payload("cookie-signature", 44), old);
  const [oldGrip, grip] = KEYS.map((key) => new Keygrip([key]));
  const data = payload("keygrip", 28);
  const signature = oldGrip.sign(data);
  return [
    measured("cookie-signature", signed.length, repeats, () =>
      cookieSignature.sign(cookieSignature.unsign(signed, old), current),
    ),
    measured("keygrip", data.length + 1 + signature.length, repeats, () => oldGrip.verify(data, signature) && grip.sign(data)),
  ];
}

function measured(name, bytes, repeats, both) {
  if (typeof both() !== "string") throw new Error(`${name} does not open its own value`);
  for (let at = 0; at < WARM_UP; at += 1) both();
  const times = Array.from({ length: repeats }, () => {
    const began = process.hrtime.bigint();
    for (let at = 0; at < BATCH; at += 1) both();
    return Number(process.hrtime.bigint() - began) / BATCH;
  });
  const { version } = JSON.parse(readFileSync(inRoot(`tests/node_modules/${name}/package.json`), "utf8"));
  return { name: `${name} ${version}, Node ${process.versions.node}`, format: name, bytes, ...summary(times) };
}

/** Two HMAC-SHA256 of `length` bytes by OpenSSL, the key prepared ahead; undefined where there is no OpenSSL. */
export function opensslFloor(length, repeats) {
  const args = ["speed", "-mr", "-seconds", "1", "-bytes", String(length), "-hmac", "sha256"];
  try {
    const version = execFileSync("openssl", ["version"], { encoding: "utf8" }).split(" ").slice(0, 2).join(" ");
    const times = Array.from({ length: Math.min(repeats, 5) }, () => {
      const told = execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 20_000 });
      const bytesPerSecond = Number(/^\+F:.*:([\d.]+)$/m.exec(told)[1]);
      return (2 * length * 1e9) / bytesPerSecond;
    });
    return { name: `${version}, two HMAC-SHA256`, bytes: length, ...summary(times) };
  } catch {
    return undefined;
  }
}
