// Takes apart what wrangler uploads as a version: modules into a folder to run from, bindings as workerd has them.
import fs from "node:fs/promises";
import path from "node:path";
import { temporaryFolder } from "./processes.mjs";

/** `{folder, bindings, secrets, annotations, runtime, migrations}` of the request that uploads a version. */
export async function uploaded({ body, header }) {
  const form = await new Response(body, { headers: { "Content-Type": header("content-type") } }).formData();
  const { main_module, bindings, annotations, compatibility_date, migrations } = JSON.parse(form.get("metadata"));
  const folder = temporaryFolder();
  for (const [name, module] of form) {
    if (name === "metadata") continue;
    const file = path.join(folder, name === main_module ? "index.js" : name);
    await fs.writeFile(file, Buffer.from(await module.arrayBuffer()));
  }
  const secrets = bindings.filter(({ type }) => type === "secret_text").map(({ name, text }) => [name, text]);
  const others = bindings.filter(({ type }) => type !== "secret_text").map(({ name, ...binding }) => [name, binding]);
  const runtime = { compatibility_date };
  const bound = { bindings: Object.fromEntries(others), secrets: Object.fromEntries(secrets) };
  return { folder, ...bound, annotations, runtime, migrations };
}
