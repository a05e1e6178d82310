// An account at the stand-in for Cloudflare: versions of one Worker in the real workerd, their secrets and shares.
//
// Secrets belong to versions: a new one has those of the latest one, whether or not that was ever deployed.
import { randomUUID } from "node:crypto";
import { analytics } from "./analytics.mjs";
import { worker } from "./workerd.mjs";

/** An account with nothing deployed; Workers run in front of `origin`. */
export async function account(t, { origin }) {
  const engine = await analytics(t);
  const self = {
    /** Analytics Engine. */
    engine,
    versions: [],
    /** The newest comes first. */
    deployments: [],
    routes: [],
    /** The tag of the last migration of Durable Objects that was deployed. */
    migration: undefined,
    /** Called when the shares of a deployment count, before the one who made it hears of it. */
    onDeployment: async () => {},
    get latest() {
      return self.versions.at(-1);
    },
    version: (id) => self.versions.find((version) => version.id === id),
    /** What is deployed and what was before, the newest first: `{version: percentage}` each. */
    get history() {
      const shares = ({ version_id, percentage }) => [version_id, percentage];
      return self.deployments.map(({ versions }) => Object.fromEntries(versions.map(shares)));
    },
    get shares() {
      return self.history[0] ?? {};
    },
    /** A version of what was uploaded, as of upload.mjs. */
    async add({ folder, bindings, secrets, annotations, runtime, migrations }) {
      if (migrations) self.migration = migrations.new_tag;
      const [id, created_on] = [randomUUID(), new Date().toISOString()];
      const all = { ...self.latest?.secrets, ...secrets };
      const bound = boundTo(bindings, { metadata: { id, tag: "", timestamp: created_on }, engine });
      const { port } = await worker(t, { origin, build: folder, secrets: all, bindings: bound });
      const { migration } = self;
      self.versions.push({ id, created_on, annotations, runtime, port, folder, bindings, secrets: all, migration });
      return self.latest;
    },
    /** What the dashboard does at "Save version": a secret in a version that is not deployed. */
    saveSecret: (name, text) => self.add({ ...self.latest, secrets: { [name]: text } }),
    /** Gives versions their shares; without a list, all to the latest. */
    async deploy(versions = [{ version_id: self.latest.id, percentage: 100 }], annotations = {}) {
      self.deployments.unshift({ id: randomUUID(), created_on: new Date().toISOString(), versions, annotations });
      await self.onDeployment();
      return self.deployments[0];
    },
    /** What the dashboard does at Workers Routes. */
    removeRoutes: () => (self.routes = []),
    remove: () => Object.assign(self, { versions: [], deployments: [], routes: [], migration: undefined }),
  };
  return self;
}

/** Bindings of an upload as workerd takes them. */
function boundTo(bindings, { metadata, engine }) {
  const bound = { ...bindings };
  for (const [name, { type }] of Object.entries(bindings)) {
    if (type === "version_metadata") bound[name] = { json: metadata };
    if (type === "durable_object_namespace") bound[name] = { ledger: true };
    if (type === "analytics_engine") bound[name] = { analytics: true, port: engine.port };
  }
  return bound;
}
