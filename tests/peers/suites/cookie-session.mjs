// cookie-session by what its README promises: its own tests are in no package (npm, Debian).
import { inRoot } from "../../../src/build/tools.mjs";
import { both } from "./mocha.mjs";

const SECRETS = {
  NEW_KEY: "new-key-of-the-ring-4f1d0a9be5c2773e81",
  ORIGIN_KEY: "key-1-of-the-site-0e5d1a6f9c",
  OLD_ORIGIN_KEY: "key-2-of-the-site-b71c44e0d3",
};
const RULE = { format: "keygrip", attributes: "path=/; httponly" };
const CONFIG = {
  mode: "enforce",
  reports: "none",
  keys: { current: "NEW_KEY", origin: { current: "ORIGIN_KEY", fallbacks: ["OLD_ORIGIN_KEY"] } },
  cookies: [
    { ...RULE, name: "session" },
    { ...RULE, name: "custom", digest: "sha384" },
  ],
};

export const cookieSession = (folder) =>
  both("cookie-session", folder, inRoot("tests/peers/mocha/cookie-session.cjs"), { config: CONFIG, secrets: SECRETS });
