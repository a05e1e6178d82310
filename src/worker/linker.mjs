#!/usr/bin/env node
// Links the deployable wasm without what other crates export: rustc hands over to rust-lld every function that
// a dependency marks for JavaScript, and `worker` marks streams, containers and buckets that nothing here calls.
// Left out at this point, all that only they use goes with them; wasm-bindgen skips what it finds no description of.
import { spawnSync } from "node:child_process";

/** wasm-bindgen ends the name of an exported function with a hash of its crate, */
const CRATE = /_[0-9a-f]{16}$/;
/** and describes each, and each import, in a function that it runs and removes. */
const DESCRIPTION = "__wbindgen_describe_";

const args = process.argv.slice(2);
const exported = args.filter((_, at) => args[at - 1] === "--export");
const own = exported.find((name) => name.startsWith("judge_request_"))?.match(CRATE)?.[0];
const isNeeded = (name) => !CRATE.test(name) || name.startsWith(DESCRIPTION);
const foreign = exported.filter((name) => !isNeeded(name) && !name.endsWith(own));
const left = new Set(foreign.flatMap((name) => [name, DESCRIPTION + name]));
const kept = args.filter((arg, at) => !left.has(arg === "--export" ? args[at + 1] : arg));
// rustc puts the folder of rust-lld on the PATH
process.exitCode = spawnSync("rust-lld", kept, { stdio: "inherit" }).status ?? 1;
