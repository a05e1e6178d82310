export default { fetch: () => new Response("shop") };
