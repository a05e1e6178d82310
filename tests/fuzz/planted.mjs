// Plants faults, each a rule that the gate no longer keeps, and sees whether the fuzz targets find them.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { Failure } from "../../src/build/progress.mjs";
import { inRoot } from "../../src/build/tools.mjs";
import { built, fuzzed, inParallel } from "./engine.mjs";

const GATE = "src/core/gate";
const [REQUEST, RESPONSE, UPGRADE, JUDGE, TIMES] = ["request", "response", "upgrade", "judge", "times"].map(
  (name) => `${GATE}/${name}.rs`,
);
const LOOK_ALIKE = "src/core/wire/look_alike.rs";

/** What is no longer kept, and how: in a file, a text that stands there once, and what stands there instead. */
export const FAULTS = [
  ["R2: a fallback counts past its until", JUDGE, "candidate.until.is_none_or(|until| now < until)", "candidate.until.is_none_or(|until| now < until || true)"],
  ["R2: max_age does not count", TIMES, "if is_old || is_over {", "if is_over {"],
  ["R2: an expiry does not count", TIMES, "if is_old || is_over {", "if is_old {"],
  ["R2: a time ahead of the clock does not count", TIMES, "if is_ahead(content, now) {", "if false {"],
  ["R2: a signature is compared by its first bytes", "src/core/crypto/mod.rs", "a.ct_eq(b).into()", "a.get(..4) == b.get(..4) || a.ct_eq(b).into()"],
  ["R2: a signature is compared not at all", "src/core/crypto/mod.rs", "a.ct_eq(b).into()", "a.len() == b.len() || a.ct_eq(b).into()"],
  ["R3: a cookie goes on under the browser's key", JUDGE, "candidate.same_as_other_side && copy.is_alone", "copy.is_alone"],
  ["R4: what does not verify goes on", REQUEST, "OnInvalid::Strip | OnInvalid::Reject => Edit::Drop", "OnInvalid::Strip | OnInvalid::Reject => Edit::Keep"],
  ["R4: a signature that vouches for nothing goes on", REQUEST, "if vouches || self.forwards_unverified(verified) {", "if verified < 9 || vouches || self.forwards_unverified(verified) {"],
  ["R5: an unverified copy goes on beside a verified one", REQUEST, "Verdict::DuplicateDropped, None));\n            return Edit::Drop;", "Verdict::DuplicateDropped, None));\n            return Edit::Keep;"],
  ["R6: tries are not bounded", JUDGE, "self.tries > 0 && value.len() <= self.hashed", "self.tries < 999 && value.len() <= usize::MAX"],
  ["R6: looks in vain are not bounded", JUDGE, "if !self.allows(value) || look > self.looked {", "if !self.allows(value) {"],
  ["R7: a look-alike goes on", REQUEST, "let edit = self.drop_look_alike(alike.iter().copied(), events);", "let edit = Edit::Keep;"],
  ["R7: a piece behind a comma counts not", LOOK_ALIKE, "self.is_cut |= at >= self.quoted || b == b',' || b.is_ascii_control();", "self.is_cut |= b != b',' && (at >= self.quoted || b.is_ascii_control());"],
  ["R7: percent-encoding is not decoded", LOOK_ALIKE, "b'%' => percent_decode(pair, at).unwrap_or((b, at + 1)),", "b'%' if pair.is_empty() => percent_decode(pair, at).unwrap_or((b, at + 1)),"],
  ["R7: capital letters count not", LOOK_ALIKE, "Some((decoded.to_ascii_lowercase(), next))", "Some((decoded, next))"],
  ["R7: a name that starts with $ goes on", LOOK_ALIKE, "is_quoted || name.bytes().find(|b| !cuts(*b)) == Some(b'$')", "is_quoted"],
  ["R7: a quote left open goes on", REQUEST, "mark.edit = self.drop_look_alike([rule].into_iter(), events);", "mark.edit = Edit::Keep;"],
  ["R1: what stands behind an edit is lost", REQUEST, "rest = mark.start + mark.pair.len() + 1;", "rest = mark.start + mark.pair.len() + 2;"],
  ["S2: what the site's key does not verify is sealed", RESPONSE, "            Err(verdict) => {\n                judged.report(at, verdict, None);\n                return None;\n            }\n        };\n        // what the origin", "            Err(_) => (false, Content::of(cookie.value.as_bytes()).signed_at(judged.work.now)),\n        };\n        // what the origin"],
  ["S2: what the site sets goes on under its key", RESPONSE, "let (same, content) = match self.open_origins(text, judged) {\n            Ok(opened) => opened,", "let (same, content) = match self.open_origins(text, judged) {\n            Ok((_, content)) => (true, content),"],
  ["S2: headers change their order", RESPONSE, "headers.extend(self.added);", "headers.extend(self.added);\n        headers.reverse();"],
  ["S2: attributes are lost", RESPONSE, "self.lines[at].edit = Edit::Write(cookie.with_value(value));", "self.lines[at].edit = Edit::Write(format!(\"{}={value}\", cookie.name));"],
  ["S3: no second deletion follows", RESPONSE, "is_elsewhere.then(|| expected.deletion(cookie.name))", "is_elsewhere.then(|| expected.deletion(cookie.name)).filter(|_| false)"],
  ["S3: a deletion is sealed", RESPONSE, "        if deletes {\n            self.delete(", "        if deletes && judged.work.now == 0 {\n            self.delete("],
  ["S5: on no page", UPGRADE, "upgrade == Upgrade::Navigation && !opens_page(exchange)", "upgrade == Upgrade::Navigation && !opens_page(exchange) && status == 0"],
  ["S5: of two cookies", UPGRADE, "} else if due.verified != 1 {", "} else if due.verified == 0 {"],
  ["S5: over the response's own cookie", UPGRADE, "} else if judged.set.contains(&due.rule) {", "} else if status == 0 {"],
  ["S5: beside Clear-Site-Data", UPGRADE, "exchange.response_header(\"clear-site-data\").is_some() {", "exchange.response_header(\"clear-site-data\").is_some() && status == 0 {"],
  ["S5: with any status", UPGRADE, "} else if !is_kept_status(status) {", "} else if !is_kept_status(status) && status == 0 {"],
  ["S5: late", UPGRADE, "pending.asked_ms) > LATE_MS {", "pending.asked_ms) > 60 * LATE_MS {"],
  ["S5: after a logout", UPGRADE, "} else if self.is_superseded(due.rule, pending, exchange, now_ms) {", "} else if self.is_superseded(due.rule, pending, exchange, now_ms) && status == 0 {"],
  ["S5: into a shared cache", UPGRADE, "} else if is_cacheable(exchange) {", "} else if is_cacheable(exchange) && status == 0 {"],
  ["S5: not private", UPGRADE, "judged.answer.private |= !is_private(exchange);", "judged.answer.private |= false;"],
  ["S5: Max-Age begins anew", UPGRADE, "let left = max_age.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX));", "let left = max_age.saturating_sub(i64::try_from(age / 1_000_000).unwrap_or(i64::MAX));"],
  ["chunks: a number with a zero before it is a piece", "src/core/wire/chunks.rs", "let number = number(digits)?;\n        (self.first()", "let number = number(digits.trim_start_matches('0')).or(number(digits))?;\n        (self.first()"],
  ["C3: an error tells a key", "src/core/config/checks.rs", "Fault::new(format!(\"the key {id} has fewer than {least} bytes{read}\"))", "Fault::new(format!(\"the key {id} has fewer than {least} bytes{read}: {}\", alloc::string::String::from_utf8_lossy(current.bytes())))"],
].map(([what, file, find, replace]) => ({ what, file, find, replace }));

const COPY = inRoot("target/planted");
/** What changes in one file is compiled again, and little else. */
const QUICK = { CARGO_INCREMENTAL: "1", CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "64" };
const COPIED = ["Cargo.toml", "Cargo.lock", "src", "tests/fuzz", "tests/vectors"];

/** Plants each and shows what found it; fails where one was not found. */
export async function planted(targets, only, seconds) {
  mkdirSync(COPY, { recursive: true });
  for (const name of COPIED) {
    rmSync(path.join(COPY, name), { recursive: true, force: true });
    cpSync(inRoot(name), path.join(COPY, name), { recursive: true, preserveTimestamps: true });
  }
  const missed = [];
  for (const fault of FAULTS.filter(({ what }) => what.includes(only))) {
    const finding = await withFault(fault, () => hunted(fault, targets, seconds));
    console.log(`planted ${fault.what}: ${finding}`);
    if (finding.startsWith("missed")) missed.push(fault.what);
  }
  if (missed.length) throw new Failure(`${missed.length} faults were not found`, missed.join("; "));
}

async function withFault({ what, file, find, replace }, work) {
  const copy = path.join(COPY, file);
  const text = readFileSync(copy, "utf8");
  if (text.split(find).length !== 2) throw new Failure(`${what}: the text stands not once in ${file}`, find);
  writeFileSync(copy, text.replace(find, () => replace));
  try {
    return await work();
  } finally {
    writeFileSync(copy, text);
  }
}

/** Fuzzes all targets at once until one of them finds something. */
async function hunted({ what }, targets, seconds) {
  const program = await built("fuzz targets with the fault", COPY, QUICK);
  const abort = new AbortController();
  const began = Date.now();
  let finding;
  const each = Math.ceil((seconds * availableParallelism()) / targets.length);
  const jobs = targets.map((target) => async () => {
    if (finding) return;
    const { failure } = await fuzzed(target, program(target), each, abort.signal);
    if (!failure || finding) return;
    finding = `found by ${target} after ${((Date.now() - began) / 1000).toFixed(1)} s: ${failure.split("\n")[1] ?? ""}`.slice(0, 160);
    abort.abort();
  });
  await inParallel(jobs);
  return finding ?? `missed in ${seconds} s`;
}
