// The client of undici, the package behind Node's fetch, which adds its own queue to Node's HTTP/2.

import { H2CClient } from "undici";

import { CASES } from "./cases.mjs";

export const name = "undici";
const { ping, ...others } = CASES;
export const cases = others;
export const configs = {
  default: { options: {} },
  awkward: { options: { pipelining: 1000, maxConcurrentStreams: 1000 } },
};

export function connect(url, { options }) {
  const client = new H2CClient(url, options);
  return {
    request: (request) => send(client, request),
    close: () => client.close(),
  };
}

async function send(client, { method, path, content, headers, cancelAfter }) {
  const controller = new AbortController();
  const cancel = () => controller.abort();
  const timer = cancelAfter === undefined ? undefined : setTimeout(cancel, cancelAfter);
  try {
    const { signal } = controller;
    const response = await client.request({ method, path, headers, body: content, signal });
    return { status: response.statusCode, content: response.body, cancel, trailers: () => response.trailers };
  } catch (error) {
    error.isCancellation = controller.signal.aborted;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
