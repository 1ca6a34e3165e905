// Node's HTTP/2 client against the demonstration server. Argument: the URL.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http2 from "node:http2";

import { start } from "./exchange.mjs";

const session = http2.connect(process.argv[2]);

const request = (...what) => start(session, ...what).response;

// GET, and HEAD of the same resource.
const line = await request({ ":path": "/" });
assert.equal(line.head[":status"], 200);
assert.equal(line.content.length, Number(line.head["content-length"]));
const head = await request({ ":method": "HEAD", ":path": "/" });
assert.equal(head.head["content-length"], line.head["content-length"]);
assert.equal(head.content.length, 0);

// Concurrent requests with content of many sizes, and with trailers.
const sizes = [0, 1, 100, 16_384, 16_385, 65_535, 65_536, 1_000_000, 5_000_000];
await Promise.all(
  sizes.map(async (size) => {
    const content = randomBytes(size);
    const echo = await request({ ":method": "POST", ":path": "/echo" }, content, { "x-size": `${size}` });
    assert.ok(echo.content.equals(content), `${size} octets`);
    assert.equal(echo.trailers["x-size"], `${size}`);
  }),
);

// An informational response.
const hinted = await request({ ":path": "/early-hints" });
assert.deepEqual(hinted.informational, [103]);
assert.equal(hinted.head[":status"], 200);

// More requests than the server accepts concurrently.
const answers = await Promise.all(Array.from({ length: 1_000 }, (_, n) => request({ ":path": `/bytes/${n}` })));
answers.forEach((answer, n) => assert.equal(answer.content.length, n));

// Cancelled requests do not affect the connection.
for (let n = 0; n < 20; n++) {
  const { stream, response } = start(session, { ":path": "/bytes/1000000000" });
  const gone = once(stream, "close");
  await once(stream, "data");
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await gone;
  await response.catch(() => {});
}
assert.equal((await request({ ":path": "/" })).head[":status"], 200);

// PING, and changed settings.
await new Promise((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())));
await new Promise((resolve) => session.settings({ initialWindowSize: 1_000, headerTableSize: 0 }, resolve));
assert.equal((await request({ ":path": "/bytes/100000" })).content.length, 100_000);

session.close();
await once(session, "close");
console.log("ok");
