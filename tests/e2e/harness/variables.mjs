// A site that answers with the variables that a CGI-style server makes of a request's headers (origins/variables.py).
import { python, served } from "./processes.mjs";

export const variablesSite = (t, { venv = "venv-e2e" } = {}) => served(t, python(venv, "variables.py", {}));
