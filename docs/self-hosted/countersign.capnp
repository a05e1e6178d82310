# Countersign under workerd, without Cloudflare: `workerd serve countersign.capnp`. docs/self-hosted.md says how.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    ( name = "countersign", worker = .countersign ),
    # The site itself. Nothing but this process may reach it.
    ( name = "site", external = ( address = "127.0.0.1:8000", http = ( forwardedProtoHeader = "X-Forwarded-Proto" ) ) ),
  ],
  # The web server in front of it ends TLS and sets X-Forwarded-Proto. Nobody else may reach this port.
  sockets = [
    ( name = "http", address = "127.0.0.1:8787", service = "countersign",
      http = ( forwardedProtoHeader = "X-Forwarded-Proto" ) ),
  ],
  logging = ( structuredLogging = true ),
);

const countersign :Workerd.Worker = (
  modules = [
    ( name = "index.js", esModule = embed "worker/index.js" ),
    ( name = "countersign_bg.wasm", wasm = embed "worker/countersign_bg.wasm" ),
  ],
  compatibilityDate = "2026-04-21",
  bindings = [
    ( name = "COUNTERSIGN", json = embed "countersign.json" ),
    # Key bytes come from the environment of the process. One line for each key that countersign.json names.
    ( name = "DJANGO_SECRET_KEY", fromEnvironment = "DJANGO_SECRET_KEY" ),
    ( name = "KEY_2026_11", fromEnvironment = "KEY_2026_11" ),
    ( name = "COUNTERSIGN_TOKEN", fromEnvironment = "COUNTERSIGN_TOKEN" ),
  ],
  globalOutbound = "site",
);
