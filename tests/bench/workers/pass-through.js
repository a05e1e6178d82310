// What the runtime itself costs: a Worker that does nothing.
export default { fetch: (request) => fetch(request) };
