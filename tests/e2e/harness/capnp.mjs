// The configuration of workerd, written as Cap'n Proto text.

/** A text literal: bytes outside printable ASCII are escaped, so nothing depends on the encoding of the file. */
export function text(value) {
  const bytes = [...Buffer.from(value, "utf8")];
  const plain = (byte) => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
  return `"${bytes.map((b) => (plain(b) ? String.fromCharCode(b) : `\\x${b.toString(16).padStart(2, "0")}`)).join("")}"`;
}

/**
 * The whole file: one Worker, the origin as its way out, and a server for each binding that needs one. `beside` are
 * further Workers, `{name, modules, bindings}` each, with their modules in a folder of their name; `ledger` is where the
 * first one's Durable Object keeps its rows.
 */
export function workerdConfig({ modules, compatibility, bindings, originPort, v8Flags = [], beside = [], ledger }) {
  const outside = Object.entries(bindings).filter(([, binding]) => binding.port);
  const worker = ({ name, modules, bindings, folder = "", objects = "" }) =>
    `( name = ${text(name)}, worker = (
      modules = [ ${modules.map((name) => moduleEntry(name, folder)).join(", ")} ],
      compatibilityDate = ${text(compatibility.date)},
      compatibilityFlags = [ ${compatibility.flags.map(text).join(", ")} ],
      bindings = [ ${Object.entries(bindings).map(bindingEntry).join(", ")} ],
      ${objects}
      globalOutbound = "origin" ) )`;
  const objects = `durableObjectNamespaces = [ ( className = "Ledger", uniqueKey = "ledger", enableSql = true ) ],
      durableObjectStorage = ( localDisk = "ledger" ),`;
  const services = [
    worker({ name: MAIN, modules, bindings, ...(ledger && { objects }) }),
    ...beside.map((other) => worker({ ...other, folder: `${other.name}/` })),
    ...(ledger ? [`( name = "ledger", disk = ( path = ${text(ledger)}, writable = true ) )`] : []),
    externalServer("origin", originPort),
    ...outside.map(([name, { port }]) => externalServer(`binding ${name}`, port)),
  ];
  const sockets = [MAIN, ...beside.map(({ name }) => name)].map(socket);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ ${services.join(",\n")} ],
  sockets = [ ${sockets.join(", ")} ],
  logging = ( structuredLogging = true ),
  v8Flags = [ ${v8Flags.map(text).join(", ")} ]
);
`;
}

const externalServer = (name, port) =>
  `( name = ${text(name)}, external = ( address = "127.0.0.1:${port}", http = () ) )`;

const socket = (service) =>
  `( name = ${text(service)}, address = "127.0.0.1:0", http = ( forwardedProtoHeader = "Test-Scheme" ), service = ${text(service)} )`;

function moduleEntry(name, folder) {
  const kind = name.endsWith(".wasm") ? "wasm" : "esModule";
  return `( name = ${text(name)}, ${kind} = embed ${text(folder + name)} )`;
}

/**
 * A string is a text binding; `{json}`, `{service: true, port}`, `{analytics: true, port}` and `{ledger: true}` are the
 * others.
 */
function bindingEntry([name, binding]) {
  if (binding.ledger) {
    return `( name = ${text(name)}, durableObjectNamespace = ( className = "Ledger", serviceName = ${text(MAIN)} ) )`;
  }
  if (typeof binding === "string") return `( name = ${text(name)}, text = ${text(binding)} )`;
  if ("json" in binding) return `( name = ${text(name)}, json = ${text(JSON.stringify(binding.json))} )`;
  const kind = binding.analytics ? "analyticsEngine" : "service";
  return `( name = ${text(name)}, ${kind} = ${text(`binding ${name}`)} )`;
}

/** The name of the Worker that is always there. */
export const MAIN = "worker";
