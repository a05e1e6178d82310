// The real Django, to make and to read cookies under any key and time (origins/signer.py).
import { sensitive } from "./leaks.mjs";
import { SECRETS } from "./settings.mjs";
import { eachLine, end, python, setAside } from "./processes.mjs";

/**
 * Starts a signer. `ask(operation, {key, at, ...})` gives what Django makes of it, and throws where Django refuses;
 * `refusal(...)` gives the name of Django's exception instead, or null.
 */
export async function signer(t, { venv = "venv-e2e" } = {}) {
  const child = python(venv, "signer.py", {});
  const waiting = [];
  eachLine(child.stdout, (line) => {
    waiting.shift().resolve(JSON.parse(line));
    setAside(child, waiting.length === 0);
  });
  child.once("exit", () => waiting.forEach(({ reject }) => reject(new Error(`the signer ended:\n${child.errors}`))));
  t.after(() => end(child));

  const exchange = (request) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      setAside(child, false);
      child.stdin.write(JSON.stringify(request) + "\n");
    });
  async function ask(op, options) {
    const { value, refused } = await exchange({ op, ...options });
    if (refused) throw new Error(`Django refuses: ${refused}`);
    if (typeof value === "string") sensitive(value);
    return value;
  }
  return {
    ask,
    /** A session cookie's value under one of the tests' keys; `at` is when it was signed. */
    session: (keyId, { data = { user: "ada" }, ...options } = {}) =>
      ask("session", { key: SECRETS[keyId], data, ...options }),
    /** What a session cookie's value holds under one of the tests' keys: `{data, at}`. */
    readSession: (keyId, value) => ask("read_session", { key: SECRETS[keyId], value }),
    async refusal(op, options) {
      return (await exchange({ op, ...options })).refused ?? null;
    },
  };
}
