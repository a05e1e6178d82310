// A Worker that calls another one: what that one takes and keeps. PUT with `{times, headers}` has every later request
// made so often, with the origin stood in for, which answers with these headers: that leaves out the runtime's own
// work on connections. DELETE collects what nobody holds, and answers the bytes of all memories of wasm.
import { bytes } from "./instances.js";
import worker from "./worker.js";
export * from "./worker.js";

let times = 1;

export default {
  async fetch(request, env, context) {
    if (request.method === "DELETE") {
      globalThis.gc();
      return new Response(String(bytes()));
    }
    if (request.method === "PUT") {
      const plan = await request.json();
      const page = new Response("page", { headers: plan.headers });
      globalThis.fetch = async () => new Response("page", page);
      times = plan.times;
      return new Response("planned");
    }
    for (let time = 1; time < times; time += 1) await worker.fetch(request, env, context);
    return worker.fetch(request, env, context);
  },
};
