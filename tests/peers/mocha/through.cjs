// Loaded before a suite of mocha and supertest: what supertest sends goes to the Worker, and comes back to the site of
// the test, which is in this process. Without ports in the environment nothing changes.
const fs = require("node:fs");
const http = require("node:http");

const HEADER = "x-peers-exchange";
const { PEERS_WORKER_PORT, PEERS_ORIGIN_PORT, PEERS_COUNTS } = process.env;
/** By exchange: whose site it is for, and the cookies on both sides of the Worker. */
const exchanges = [];
const counts = {};
let test = "";

if (PEERS_WORKER_PORT) {
  sendToTheWorker();
  http
    .createServer((request, response) => {
      const exchange = exchanges[Number(request.headers[HEADER])];
      hide(request);
      exchange.received = request.headers.cookie ?? "";
      response.once("finish", () => (exchange.set = [response.getHeader("set-cookie") ?? []].flat()));
      exchange.site.emit("request", request, response);
    })
    .listen(Number(PEERS_ORIGIN_PORT), "127.0.0.1")
    .unref();
}

function sendToTheWorker() {
  const Test = require("supertest/lib/test.js");
  const own = Test.prototype.serverAddress;
  Test.prototype.serverAddress = function (app, path) {
    if (typeof app === "string") return own.call(this, app, path);
    const exchange = { site: app, of: (counts[test] ??= { exchanges: 0, resigned: 0 }) };
    this.set(HEADER, String(exchanges.push(exchange) - 1));
    this.once("response", ({ headers }) => count(exchange, this.header.Cookie ?? "", headers["set-cookie"] ?? []));
    return `http://127.0.0.1:${PEERS_WORKER_PORT}${path}`;
  };
}

/** The site sees no header of ours. */
function hide(request) {
  delete request.headers[HEADER];
  const at = request.rawHeaders.findIndex((name, n) => n % 2 === 0 && name.toLowerCase() === HEADER);
  request.rawHeaders.splice(at, 2);
}

function count({ of, received, set }, sent, came) {
  of.exchanges += 1;
  if (set === undefined) return; // the site was not asked
  of.resigned += sent !== received;
  of.resigned += came.filter((cookie, n) => cookie !== set[n]).length;
}

exports.mochaHooks = {
  beforeEach() {
    test = this.currentTest.fullTitle();
  },
  afterAll() {
    if (PEERS_COUNTS) fs.writeFileSync(PEERS_COUNTS, JSON.stringify(counts));
  },
};
