// What is installed on this machine beside Node and Python: where it is, whether it works, and what Go makes of a file.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { temporaryFolder } from "./processes.mjs";

/** `command` of the path of an executable, or null where there is none. */
export function withTool(name, command) {
  const found = (process.env.PATH ?? "").split(path.delimiter).map((folder) => path.join(folder, name)).find(isExecutable);
  return (found && command(found)) || null;
}

/** Whether a command ends well. */
export function works(command, args, env = {}) {
  try {
    execFileSync(command, args, { stdio: "ignore", env: { ...process.env, ...env } });
    return true;
  } catch {
    return false;
  }
}

/** The command of the program that Go builds of a file with nothing but Debian's packages, or null. */
export function goProgram(file) {
  return withTool("go", (go) => {
    const program = path.join(temporaryFolder(), "program");
    return works(go, ["build", "-o", program, file], OF_DEBIAN) && [program];
  });
}

const OF_DEBIAN = { GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOFLAGS: "" };

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
