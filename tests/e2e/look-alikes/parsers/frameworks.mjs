// Prints what the cookie parsers of the Node frameworks make of raw Cookie headers.
//
// Each line of standard input is one request: its Cookie headers in hex, several of them separated by commas.
// Each line of output is a JSON object: parser -> list of [name, value]. The arguments are the names that a
// parser is asked for which looks a name up instead of listing them all.
import { createInterface } from "node:readline";
import fastifyCookie from "@fastify/cookie";
import statehood from "@hapi/statehood";
import { parse as parseLatest } from "cookie";
import cookieParser from "cookie-parser";
import Koa from "cookies";
import fastify from "fastify";

const names = process.argv.slice(2);
const hapi = new statehood.Definitions({ ignoreErrors: true, strictHeader: false });
const express = cookieParser("a secret");

const site = fastify();
await site.register(fastifyCookie);

const PARSERS = {
  express: (header) => {
    const request = { headers: { cookie: header } };
    express(request, {}, () => {});
    return [...Object.entries(request.cookies), ...Object.entries(request.signedCookies)];
  },
  cookie: (header) => Object.entries(parseLatest(header)),
  koa: (header) => {
    const jar = new Koa({ headers: { cookie: header } }, {});
    return names.map((name) => [name, jar.get(name)]).filter(([, value]) => value !== undefined);
  },
  fastify: (header) => Object.entries(site.parseCookie(header)),
  hapi: async (header) => {
    // A route may be told to ignore the error and to take what was read of the header.
    const { states } = await hapi.parse(header).catch((error) => error);
    return Object.entries(states ?? {});
  },
};

const flat = ([name, value]) =>
  Array.isArray(value) ? value.map((one) => [name, one]) : [[name, value]];

const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));

const trimmed = (part) => Buffer.from(part, "hex").toString("latin1").replace(/^[ \t]+|[ \t]+$/g, "");

for await (const line of createInterface({ input: process.stdin })) {
  // Node's HTTP parser joins several Cookie headers in this way.
  const header = line.split(",").map(trimmed).join("; ");
  const seen = {};
  for (const [parser, parse] of Object.entries(PARSERS)) {
    seen[parser] = (await parse(header)).flatMap(flat).map(([name, value]) => [name, text(value)]);
  }
  console.log(JSON.stringify(seen));
}
