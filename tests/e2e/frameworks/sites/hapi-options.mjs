// How the hapi sites are served. Pages of hapi are `no-cache`, which lets a shared cache store them: without the
// `private` they would never bring an upgrade.
export const OPTIONS = {
  host: "127.0.0.1",
  port: 0,
  routes: { cache: { otherwise: "private, no-cache" } },
};
