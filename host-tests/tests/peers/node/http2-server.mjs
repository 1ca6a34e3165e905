// Node's own server; and its HTTP/1.1 server, which runs behind proxies.

import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

const { PADDING_STRATEGY_MAX } = http2.constants;

export const name = "node-http2";
const CASES = ["get", "post", "download", "upload", "cancel", "refuse", "early"];
export const cases = (config) => ({ "one-stream": ["one-stream", "post"], shutdown: ["shutdown"] })[config] ?? CASES;
export const configs = {
  default: { options: {} },
  // Small windows, no dynamic table, few streams, and the most padding that frames can have.
  awkward: {
    options: {
      settings: { initialWindowSize: 1000, headerTableSize: 0, maxHeaderListSize: 4096, maxConcurrentStreams: 10 },
      paddingStrategy: PADDING_STRATEGY_MAX,
    },
    readsAll: true,
  },
  // The maximum of everything.
  huge: {
    options: { settings: { initialWindowSize: 2 ** 31 - 1, maxFrameSize: 2 ** 24 - 1, headerTableSize: 2 ** 20 } },
  },
  "one-stream": { options: { settings: { maxConcurrentStreams: 1 } } },
  // Sends GOAWAY on each connection 100 ms after its first request, and completes the requests in progress.
  shutdown: { options: {}, lifetime: 100 },
};

/** The HTTP/1.1 server, which is not a peer. */
export const origin = { name: "http1-origin", configs: { default: { isHttp1: true } }, listen };

const ZEROS = Buffer.alloc(64 << 10);

export async function listen({ options, lifetime, isHttp1, readsAll }) {
  // By default, Node refuses streams when a connection uses more than 10 MB.
  const server = isHttp1 ? http.createServer() : http2.createServer({ maxSessionMemory: 1000, ...options });
  server.on("session", (session) => {
    session.on("error", () => {});
    if (lifetime) {
      session.once("stream", () => setTimeout(() => session.close(), lifetime));
    }
  });
  server.on("request", (request, response) => {
    // Clients may cancel anything.
    request.on("error", () => {});
    response.on("error", () => {});
    answer(request, response, readsAll || isHttp1).catch(() => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

/** Zeros, in pieces. */
function* zeros(bytes) {
  for (let left = bytes; left > 0; left -= ZEROS.length) {
    yield left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS;
  }
}

async function answer(request, response, readsAll) {
  const [, route, argument] = request.url.split("/");
  const respond = (status, text) => {
    response.statusCode = status;
    response.end(text);
  };
  const respondEarly = (status, text) => {
    respond(status, text);
    // Otherwise, the client must abort its upload.
    if (readsAll) {
      request.resume();
    }
  };
  switch (route) {
    case "":
    case "upload": {
      let bytes = 0;
      for await (const chunk of request) {
        bytes += chunk.length;
      }
      return respond(200, request.method === "POST" ? `${bytes}\n` : "Hello from Node.\n");
    }
    case "bytes":
      response.setHeader("content-length", argument);
      return pipeline(zeros(Number(argument)), response);
    case "endless":
      return pipeline(zeros(Infinity), response);
    case "echo":
      response.flushHeaders();
      return pipeline(request, response);
    case "delay":
      await sleep(Number(argument));
      return respond(200, "later\n");
    case "refuse":
      return respondEarly(401, "no\n");
    case "early":
      return respondEarly(200, ZEROS.subarray(0, 10_000));
    default:
      return respond(404, "nothing here\n");
  }
}
