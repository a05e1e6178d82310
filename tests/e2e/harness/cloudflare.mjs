// Stands in for Cloudflare's API: one account with one zone and one Worker, as the real wrangler asks for it.
//
// What is asked, and what is read of the answers, was looked up in the source of wrangler 4.164.0.
import { answer, rawOrigin } from "./raw-origin.mjs";
import { uploaded } from "./upload.mjs";

/**
 * Answers for an account: `{environment, unknown}`, what a command has to have in its environment, and the calls
 * that nothing here answers.
 */
export async function cloudflare(t, account) {
  const unknown = [];
  const calls = callsOf(account);
  const api = await rawOrigin(t, async (request) => {
    if (request.header("authorization") !== `Bearer ${API_TOKEN}`) return reply(NOT_ALLOWED);
    const path = request.path.replace(BASE, "").split("?")[0];
    if (path === `${ACCOUNT}/analytics_engine/sql`) return json(200, account.engine.answer(request.body.toString()));
    const [, stem, id] = /^(.*?\/versions)\/([^/]+)$/.exec(path) ?? [, path];
    const call = calls[`${request.method} ${stem}${id ? "/ID" : ""}`];
    if (!call) unknown.push(`${request.method} ${path}`);
    return reply(call ? await call(request, id) : NO_SUCH_CALL);
  });
  const environment = {
    CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${api.port}${BASE}`,
    CLOUDFLARE_API_TOKEN: API_TOKEN,
    CLOUDFLARE_ACCOUNT_ID: ACCOUNT_ID,
  };
  return { environment, unknown };
}

/** By method and path: what is answered, or a refusal. */
const callsOf = (account) => ({
  [`GET ${SERVICE}`]: () => (account.latest ? deployedByWrangler(account) : NO_SUCH_WORKER),
  [`DELETE ${SERVICE}`]: () => account.remove() && null,
  [`PUT ${SCRIPT}`]: async (request) => {
    const version = await account.add(await uploaded(request));
    await account.deploy();
    return { ...told(version), deployment_id: version.id };
  },
  [`POST ${SCRIPT}/versions`]: async (request) => told(await account.add(await uploaded(request))),
  [`GET ${SCRIPT}/versions/ID`]: (_, id) => told(account.version(id)),
  [`GET ${SCRIPT}/deployments`]: () => ({ deployments: account.deployments }),
  [`POST ${SCRIPT}/deployments`]: ({ body }) => {
    const { versions, annotations } = JSON.parse(body.toString());
    const whole = versions.reduce((sum, { percentage }) => sum + percentage, 0);
    const areKnown = versions.every(({ version_id }) => account.version(version_id));
    const isOlder = ({ version_id }) => account.version(version_id)?.migration !== account.migration;
    if (areKnown && versions.some(isOlder)) return MIGRATED_SINCE;
    return areKnown && whole === 100 ? account.deploy(versions, annotations) : NO_SUCH_VERSION;
  },
  [`GET ${SCRIPT}/secrets`]: () =>
    account.latest
      ? Object.keys(account.latest.secrets).map((name) => ({ name, type: "secret_text" }))
      : NO_SUCH_WORKER,
  [`PUT ${SCRIPT}/secrets`]: async ({ body }) => {
    const { name, text, type } = JSON.parse(body.toString());
    if (!(account.latest.id in account.shares)) return LATEST_NOT_DEPLOYED;
    await account.saveSecret(name, text);
    await account.deploy();
    return { name, type };
  },
  [`GET ${SCRIPT}/settings`]: () => ({ bindings: [] }),
  [`PATCH ${SCRIPT}/script-settings`]: () => ({}),
  [`GET ${ACCOUNT}/workers/workers/${WORKER}`]: () =>
    account.latest ? { id: WORKER, name: WORKER, subdomain: NOT_PUBLIC } : NO_SUCH_WORKER,
  [`POST ${SCRIPT}/subdomain`]: () => NOT_PUBLIC,
  "GET /zones": () => [{ id: ZONE_ID }],
  [`GET /zones/${ZONE_ID}/workers/routes`]: () => account.routes.map(({ pattern }) => ({ pattern, script: WORKER })),
  [`PUT ${SCRIPT}/routes`]: ({ body }) => (account.routes = JSON.parse(body.toString())),
  [`GET ${SCRIPT}/references`]: () => ({}),
  [`GET ${ACCOUNT}/workers/tails/by-consumer/${WORKER}`]: () => [],
  [`GET ${ACCOUNT}/storage/kv/namespaces`]: () => [],
  [`GET ${ACCOUNT}/workers/durable_objects/namespaces`]: () => [],
});

const told = ({ id, created_on, annotations, runtime }) => ({
  ...{ id, annotations, startup_time_ms: 1 },
  metadata: { created_on, has_preview: false },
  resources: { script: { etag: id }, script_runtime: runtime },
});

function reply(result) {
  if (!(result instanceof Refusal)) return json(200, { success: true, errors: [], messages: [], result });
  const { status, code, message } = result;
  return json(status, { success: false, errors: [{ code, message }], messages: [], result: null });
}

const json = (status, value) => answer(`${status} -`, ["Content-Type: application/json"], JSON.stringify(value));

class Refusal {
  constructor(status, code, message) {
    Object.assign(this, { status, code, message });
  }
}

/** The name of the Worker. */
export const WORKER = "shop";
const ACCOUNT_ID = "00000000000000000000000000000001";
const ZONE_ID = "00000000000000000000000000000002";
const API_TOKEN = "the-token-of-the-account-71c9e02b64";
const BASE = "/client/v4";
const ACCOUNT = `/accounts/${ACCOUNT_ID}`;
const SCRIPT = `${ACCOUNT}/workers/scripts/${WORKER}`;
const SERVICE = `${ACCOUNT}/workers/services/${WORKER}`;
const deployedByWrangler = ({ migration }) => ({
  default_environment: {
    environment: "production",
    script: { tag: "tag", last_deployed_from: "wrangler", ...(migration && { migration_tag: migration }) },
  },
});
const NOT_PUBLIC = { enabled: false, previews_enabled: false };
const NOT_ALLOWED = new Refusal(403, 10000, "Authentication error");
const NO_SUCH_CALL = new Refusal(404, 7003, "Could not route to this call");
const NO_SUCH_WORKER = new Refusal(404, 10007, "This Worker does not exist on your account.");
const NO_SUCH_VERSION = new Refusal(400, 100146, "No such version, or its shares are not 100 %");
// documented under Rollbacks; its code and words are this stand-in's
const MIGRATED_SINCE = new Refusal(400, 100147, "A Durable Object migration has occurred since that version");
const LATEST_NOT_DEPLOYED = new Refusal(400, 10215, "Secret edit failed: the latest version isn't currently deployed");
