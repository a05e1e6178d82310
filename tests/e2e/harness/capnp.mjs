// The configuration of workerd, written as Cap'n Proto text.

/** A text literal: bytes outside printable ASCII are escaped, so nothing depends on the encoding of the file. */
export function text(value) {
  const bytes = [...Buffer.from(value, "utf8")];
  const plain = (byte) => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
  return `"${bytes.map((b) => (plain(b) ? String.fromCharCode(b) : `\\x${b.toString(16).padStart(2, "0")}`)).join("")}"`;
}

/** The whole file: one Worker, the origin as its way out, and a server for each binding that needs one. */
export function workerdConfig({ modules, compatibility, bindings, originPort, v8Flags = [] }) {
  const outside = Object.entries(bindings).filter(([, binding]) => binding.port);
  const services = [
    `( name = "worker", worker = (
      modules = [ ${modules.map(moduleEntry).join(", ")} ],
      compatibilityDate = ${text(compatibility.date)},
      compatibilityFlags = [ ${compatibility.flags.map(text).join(", ")} ],
      bindings = [ ${Object.entries(bindings).map(bindingEntry).join(", ")} ],
      globalOutbound = "origin" ) )`,
    externalServer("origin", originPort),
    ...outside.map(([name, { port }]) => externalServer(`binding ${name}`, port)),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ ${services.join(",\n")} ],
  sockets = [ ( name = "http", address = "127.0.0.1:0", http = ( forwardedProtoHeader = "Test-Scheme" ), service = "worker" ) ],
  logging = ( structuredLogging = true ),
  v8Flags = [ ${v8Flags.map(text).join(", ")} ]
);
`;
}

const externalServer = (name, port) =>
  `( name = ${text(name)}, external = ( address = "127.0.0.1:${port}", http = () ) )`;

function moduleEntry(name) {
  const kind = name.endsWith(".wasm") ? "wasm" : "esModule";
  return `( name = ${text(name)}, ${kind} = embed ${text(name)} )`;
}

/** A string is a text binding; `{json}`, `{service: true, port}` and `{analytics: true, port}` are the others. */
function bindingEntry([name, binding]) {
  if (typeof binding === "string") return `( name = ${text(name)}, text = ${text(binding)} )`;
  if ("json" in binding) return `( name = ${text(name)}, json = ${text(JSON.stringify(binding.json))} )`;
  const kind = binding.analytics ? "analyticsEngine" : "service";
  return `( name = ${text(name)}, ${kind} = ${text(`binding ${name}`)} )`;
}
