// Runs wrangler where the machine's own Node is older than wrangler takes: `npm run wrangler -- deploy`.
import { becomes, run } from "./progress.mjs";
import { inRoot, node, npmPackages } from "./tools.mjs";

run(async () => {
  node();
  await npmPackages();
  await becomes(process.execPath, [inRoot("node_modules/wrangler/bin/wrangler.js"), ...process.argv.slice(2)]);
});
