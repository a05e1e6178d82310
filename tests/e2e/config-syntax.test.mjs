// What is no configuration for wrangler's own parsers is none for the command line, and the other way round.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./harness/processes.mjs";

const { experimental_readRawConfig: read } = createRequire(import.meta.url)("wrangler");
const COUNTERSIGN = fileURLToPath(new URL("../../target/debug/countersign", import.meta.url));

const TOML = [
 'a = { x = 1,\n y = 2 }', 'a = { x = 1, }', 'a = {\n # c\n x = 1,\n}', 'a = "\\e"', 'a = "\\x41"', 'a = "\\xe9"', 'a = "\\u0041"','a = "\\U0010FFFF"','a = "\\U00110000"','a = "\\uD800"','a = "\\q"','a = "\\ "',
 'a = 07:32','a = 07:32:00','a = 1979-05-27T07:32Z','a = 1979-05-27 07:32','a = 1979-05-27','a = 1979-02-30','a = 1979-13-01','a = 24:00:00','a = 1979-05-27T07:32:00+25:00','a = 1979-05-27T23:59:60Z','a = 0000-01-01','a=07:32:61',
 'a = 9007199254740991','a = 9007199254740992','a = -9007199254740991','a = -9007199254740992','a = 9223372036854775807','a = 9223372036854775808','a = 0x1F','a = 0x1f_f','a = 0b11','a = 0o17','a = 017','a = +5','a = 1_000','a = 1__0','a = _1','a = 1.0','a = .5','a = 5.','a = 1e3','a = 1.e3','a = inf','a = nan','a = -inf','a = +nan','a=+0x1','a = 1e', 'a = 0e0','a = -0','a = 00',
 'a = """\nx\n"""','a = """x\\\n   y"""',"a = '''\nx'''",'a = """x""""','a = """x"""""','a = """x""""""','"a b" = 1',"'a' = 1",'"" = 1','= 1','a.b = 1\na.c = 2','a.b = 1\n[a]\nc = 2','[a]\nb = 1\n[a]\nc = 2','[a.b]\nx=1\n[a]\ny = 1','a = 1\na = 2','[[a]]\nb = 1\n[a]\nc=1','[[a]]\nb = 1\n[a.c]\nd=1','a = []\n[[a]]\nb=1','a = {}\n[a.b]\nc=1','a = {b = {}}\na.b.c = 1','a = { b.c = 1, b.d = 2 }','a = { b = 1, b = 2 }','a = [1, "x", {}]','a = [1,\n 2,\n # c\n]','a = [,]','a = [1,,2]','a = 1 b = 2','a = 1 # c\nb = 2','a = 1\r\nb = 2\r\n','a = 1\rb = 2','a = "x\ny"','a = "\t"','a = "\u0001"','# \u0001\na = 1','a = "\u007f"','\ufeffa = 1','a = True','a = "x" "y"','[a]]\nb=1','[ a . b ]\nc=1','[a.]\nb=1','ä = 1','"ä" = 1','a = “x”','a =','a = [','a = {','a = "','[a','a', '', '# only', 'a = { \n}', 'a = {,}', 'a = { x = 1,, }', '[[a.b]]\nx=1\n[[a.b]]\nx=2\n[a.b.c]\ny=1', 'a = "\\x4"','a = "\\xZZ"', 'a = 1979-05-27T07:32:00', 'a = 1979-05-27t07:32:00z', 'a = 1979-05-27T07:32:00.123456789Z', "a = 'x\\y'", '[a]\nb.c = 1\n[a.b]\nd = 1','[a]\nb.c = 1\n[a.b.e]\nd = 1','[fruit]\napple.color = 1\n[fruit.apple.taste]\nsweet = true', 'a = trueish', 'a = true# c', 'a = 1#c', 'a = 1979-05-27T', 'a = 1979-05-27 #c', 'a = 12:30:00.5', 'a = 12:30.5','__proto__ = 1','[__proto__]\na=1', 'constructor = 1', 'a="""\u0001"""', 'a = 1\n\u000c', '\ta = 1', 'a\n= 1', 'a = \n1', 'a.\nb = 1', 'a = "\\u00e9"', '"\\x61" = 1', '[a]\n[a.b]\n[a]',
];
const JSONC = [
 '{}','','// c','[]','"x"','null','{"a": 1,}','{"a": [1,],}','{"a": 1,,}','{,}','[,]','{"a": [,]}','{"a": +1}','{"a": 0x1}','{"a": 01}','{"a": -0}','{"a": -01}','{"a": .5}','{"a": 5.}','{"a": 1e3}','{"a": 1E+3}','{"a": 1e}','{"a": -}','{"a": NaN}','{"a": Infinity}',"{'a': 1}","{\"a\": 'x'}",'{a: 1}','{"a" 1}','{"a": 1 "b": 2}','{"a": 1','{"a": [1}','{"a": 1}}','{"a": 1} {}','{"a": 1} // c','{"a": /* c */ 1}','{"a": 1 /* c','/* c */ {}','{"a": "x\ty"}','{"a": "x\ny"}','{"a": "\u0001"}','{"a": "\u007f"}','{"a": "\\x41"}','{"a": "\\u0041"}','{"a": "\\u00"}','{"a": "\\uD800"}','{"a": "\\uDE00"}','{"a": "\\uD83D\\uDE00"}','{"a": "\\q"}','{"a": "\\/"}','{"a": "x}','{"a": tru}','{"a": True}','{"a": undefined}','{"a": 1, "a": 2}','\ufeff{}','{\u00a0"a": 1}','{\u000b"a": 1}','{\u000c"a": 1}','{\u2028"a": 1}','{"a": 1}\u0000','{ # c\n}','{"a": 12345678901234567890}','{"a": 1e400}','{"__proto__": 1}','{"a"}','{"a":}','{"a": }','{"a": 1, // c\r\n}','{"a": 1 // c\r "b": 2}', '{"a": "\\\n"}', '{"a": “x”}', '{"a": --1}', '{"a": 1.2.3}', '{"a": 1_000}', '{"a": /x/}', '{"a": 1 / 2}', '/', '{/}', '{"a": nullx}', '{"a": "b" "c"}', '{"a": [1 2]}', '{"a": [1, 2,,]}','{"a": {"b": 1},}','[1]', 'true', '{"a":1}//', '{"a":1}/**/', '{"a":1}/*/', '{"":1}',
];

/** Where one is deliberately stricter: no object, half a character, days and seconds that no calendar has. */
const STRICTER = ["[]", '"x"', "null", "[1]", "true", '{"a": "\\uD800"}', '{"a": "\\uDE00"}', "a = 1979-02-30"];
const LAXER = ["a = 1979-05-27T23:59:60Z"];

test("each text is read by both or refused by both", () => {
  const folder = temporaryFolder();
  const accepts = (file) => {
    try {
      read({ config: file });
      return true;
    } catch {
      return false;
    }
  };
  for (const [kind, texts] of [["toml", TOML], ["jsonc", JSONC]]) {
    const file = path.join(folder, `wrangler.${kind}`);
    for (const text of texts) {
      fs.writeFileSync(file, text);
      const run = spawnSync(COUNTERSIGN, ["check", "--config", file]);
      const expected = LAXER.includes(text) || (accepts(file) && !STRICTER.includes(text));
      assert.equal(run.status !== 2, expected, JSON.stringify(text));
    }
  }
});
