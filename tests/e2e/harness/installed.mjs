// What is installed on this machine beside Node and Python: where it is, whether it works, and what Go makes of a file.
import { spawnSync } from "node:child_process";
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
  return once([command, ...args].join(" "), () => {
    const { status } = spawnSync(command, args, { stdio: "ignore", env: { ...process.env, ...env } });
    return status === 0;
  });
}

/** The command of the program that Go builds of a file with nothing but Debian's packages, or null. */
export function goProgram(file) {
  return once(file, () =>
    withTool("go", (go) => {
      const program = path.join(temporaryFolder(), "program");
      return works(go, ["build", "-o", program, file], OF_DEBIAN) && [program];
    }),
  );
}

// An answer may take seconds, and several ask the same.
const answers = new Map();
function once(question, answer) {
  if (!answers.has(question)) answers.set(question, answer());
  return answers.get(question);
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
