// The front door of the harness: the real workerd, real origins, and clients that send and receive exact bytes.
import { rawOrigin } from "./harness/raw-origin.mjs";
import { SECRETS } from "./harness/settings.mjs";
import { worker } from "./harness/workerd.mjs";

export { worker, passThrough } from "./harness/workerd.mjs";
export { rawOrigin, answer } from "./harness/raw-origin.mjs";
export { tapped } from "./harness/tapped.mjs";
export { django } from "./harness/django.mjs";
export { variablesSite } from "./harness/variables.mjs";
export { signer } from "./harness/signer.mjs";
export { send, sendBytes } from "./harness/client.mjs";
export { browser, parseSetCookie, NAVIGATION } from "./harness/browser.mjs";
export { echoWebSocket, openWebSocket } from "./harness/websocket.mjs";
export { sensitive } from "./harness/leaks.mjs";
export * from "./harness/settings.mjs";

/** The Worker with this configuration and the tests' secrets, in front of an origin that answers by `handle`. */
export async function edgeAndOrigin(t, config, handle) {
  const origin = await rawOrigin(t, handle);
  const edge = await worker(t, { config, secrets: SECRETS, origin });
  return { edge, origin };
}
