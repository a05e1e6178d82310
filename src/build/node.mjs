// Runs a script on a Node that wrangler takes: `node src/build/node.mjs SCRIPT ARGUMENTS…`. Where the machine's own
// is older, npm's package of a newer one is put into .tools/, and the script goes on with that one.
import path from "node:path";
import { pathToFileURL } from "node:url";
import { becomes, run } from "./progress.mjs";
import { inRoot, isNodeFit, newerNode } from "./tools.mjs";

run(async () => {
  const [name, ...args] = process.argv.slice(2);
  const script = inRoot(name);
  if (isNodeFit()) {
    process.argv = [process.argv[0], script, ...args];
    await import(pathToFileURL(script));
  } else {
    const node = await newerNode();
    // also for what the script starts by the name of `node`, and for npm
    const PATH = [path.dirname(node), process.env.PATH].join(path.delimiter);
    await becomes(node, [script, ...args], { PATH });
  }
});
