// Node's own client.

import { once } from "node:events";
import http2 from "node:http2";
import { promisify } from "node:util";

import { CASES } from "./cases.mjs";

const { NGHTTP2_CANCEL, PADDING_STRATEGY_MAX } = http2.constants;

export const name = "node-http2";
export const cases = CASES;
export const configs = {
  // With Node's default limit of 10 MB for everything that a session keeps, it refuses its own ten uploads of
  // 1 MB.
  default: { options: { maxSessionMemory: 1000 } },
  // Small windows, no dynamic table, and the most padding that frames can have.
  awkward: {
    options: {
      settings: { initialWindowSize: 1000, headerTableSize: 0, enablePush: false, maxHeaderListSize: 4096 },
      paddingStrategy: PADDING_STRATEGY_MAX,
      maxOutstandingPings: 100,
      maxSessionMemory: 1000,
    },
    scale: 2_000_000,
    message: 50_000,
    pings: 100,
    pause: 0,
  },
  // The maximum of everything.
  huge: {
    options: {
      settings: { initialWindowSize: 2 ** 31 - 1, maxFrameSize: 2 ** 24 - 1, headerTableSize: 2 ** 20 },
      maxSessionMemory: 1000,
    },
    localWindow: 2 ** 31 - 1,
  },
};

export function connect(url, { options, localWindow }, noteGoaway) {
  const session = http2.connect(url, options);
  session.on("goaway", noteGoaway);
  // Requests report failures themselves.
  session.on("error", () => {});
  if (localWindow) {
    session.once("connect", () => session.setLocalWindowSize(localWindow));
  }
  return {
    request: (request) => send(session, request),
    ping: promisify((done) => session.ping(done) || done(new Error("the PING was not sent"))),
    connected: once(session, "connect"),
    close: () => session.close(),
  };
}

function send(session, { method, path, content, headers, cancelAfter }) {
  const stream = session.request({ ":method": method, ":path": path, ...headers }, { endStream: content === undefined });
  let isCancelled = false, trailers;
  const cancel = () => {
    isCancelled = true;
    stream.close(NGHTTP2_CANCEL);
  };
  if (Buffer.isBuffer(content)) {
    stream.end(content);
  } else {
    content?.pipe(stream);
  }
  const timer = cancelAfter === undefined ? undefined : setTimeout(cancel, cancelAfter);
  stream.on("trailers", (fields) => (trailers = fields));
  return new Promise((resolve, reject) => {
    const fail = (error) => {
      clearTimeout(timer);
      error.isCancellation = isCancelled;
      reject(error);
    };
    stream.on("error", fail);
    stream.once("close", () => fail(new Error(`${path}: the stream was closed with code ${stream.rstCode}`)));
    stream.once("response", (head) => {
      clearTimeout(timer);
      resolve({ status: head[":status"], content: stream, cancel, trailers: () => trailers });
    });
  });
}
