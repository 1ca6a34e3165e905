// Node's client. Arguments: the case, and the URL of our server. Prints "ok" at the end.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http2 from "node:http2";

import { start } from "../../interop/peers/exchange.mjs";

const [name, url] = process.argv.slice(2);
// Node limits the memory of a session to 10 MB, and resets streams with ENHANCE_YOUR_CALM when an upload in one piece
// needs more.
const session = http2.connect(url, { maxSessionMemory: 64 });

/** Sends a request; gives what comes back. */
const request = (...what) => start(session, ...what).response;

const cases = {
  async get() {
    const { head, content } = await request({ ":path": "/" });
    assert.equal(head[":status"], 200);
    assert.equal(content.length, Number(head["content-length"]));
  },
  async head() {
    const { head, content } = await request({ ":method": "HEAD", ":path": "/bytes/1000" });
    assert.equal(head["content-length"], "1000");
    assert.equal(content.length, 0);
  },
  async download() {
    const { content } = await request({ ":path": `/bytes/${1 << 24}` });
    assert.ok(content.equals(Buffer.alloc(1 << 24)));
  },
  async upload() {
    const sent = randomBytes(1 << 24);
    const { content } = await request({ ":method": "POST", ":path": "/echo" }, sent);
    assert.ok(content.equals(sent));
  },
  async trailers() {
    const { trailers } = await request({ ":method": "POST", ":path": "/echo" }, "content", { "x-check": "sum" });
    assert.equal(trailers["x-check"], "sum");
  },
  async informational() {
    const { informational, head } = await request({ ":path": "/early-hints" });
    assert.deepEqual(informational, [103]);
    assert.equal(head[":status"], 200);
  },
  async "at-once"() {
    const numbers = Array.from({ length: 100 }, (_, number) => number);
    const answers = await Promise.all(numbers.map((number) => request({ ":path": `/bytes/${number}` })));
    assert.deepEqual(answers.map((answer) => answer.content.length), numbers);
  },
  async cancel() {
    const stream = session.request({ ":path": "/bytes/1000000000000" });
    await once(stream, "data");
    const gone = once(stream, "close");
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await gone;
    assert.equal((await request({ ":path": "/" })).head[":status"], 200);
  },
  async shutdown() {
    let received = 0;
    const stream = session.request({ ":path": "/bytes/100000000" });
    const goaway = once(session, "goaway");
    stream.once("data", () => console.log("started"));
    stream.on("data", (chunk) => (received += chunk.length));
    await once(stream, "end");
    assert.equal(received, 100_000_000);
    assert.equal((await goaway)[0], http2.constants.NGHTTP2_NO_ERROR);
  },
};

await cases[name]();
session.close();
await once(session, "close");
console.log("ok");
