// Sites with a cookie that nobody signs. `command()` starts one, or is null where it cannot run here; `canSet` says
// which values it can set at all.
import { fileURLToPath } from "node:url";
import { withTool } from "../harness/installed.mjs";
import { interpreter } from "../harness/processes.mjs";

const site = (file) => fileURLToPath(new URL(`sites/${file}`, import.meta.url));

export const UNSIGNED = [
  {
    name: "Starlette, as FastAPI",
    attributes: "Path=/; HttpOnly; SameSite=Lax",
    command: () => [interpreter("venv-e2e"), site("unsigned_starlette.py")],
    // as all that write headers in Latin-1
    canSet: (value) => /^[\0-\xff]*$/.test(value),
  },
  { name: "Express", command: () => [process.execPath, site("unsigned-express.mjs")] },
  {
    name: "PHP",
    needs: "php-cli",
    // it says on stderr where it listens
    command: () =>
      withTool("php", (php) => ["sh", "-c", 'exec "$0" "$@" 2>&1', php, "-S", "127.0.0.1:0", site("unsigned.php")]),
  },
];
