// The cases for clients, in terms of an abstract connection:
//
//     connect(url, config, noteGoaway) → { request, ping?, connected?, close }
//     request({ method, path, content, headers }) → { status, content: Readable, cancel(), trailers() }
//
// where the content of a request is a Buffer, a Readable, or undefined.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

const MIB = 1 << 20;
const MEGABYTE = Buffer.alloc(1_000_000, "x");
/** In runs shorter than this many seconds, large transfers are smaller. */
const BRIEF = 10;
const MESSAGE = randomBytes(100);
const LARGE_MESSAGE = randomBytes(MIB);

/** One run of one case. */
export class Run {
  requests = 0;
  bytes = 0;
  connections = 0;
  #connection;
  #goaways = [];
  #end;

  constructor(client, config, url, seconds, atATime) {
    Object.assign(this, { client, config, url, seconds, atATime });
    this.#end = Date.now() + 1000 * seconds;
  }

  /** Runs a case to its end; a GOAWAY with an error is a failure. */
  async case(run) {
    try {
      await run(this);
      this.#connection?.close();
    } catch (error) {
      error.message += this.#goaways.map((goaway) => `; ${goaway}`).join("");
      throw error;
    }
    const errors = this.#goaways.filter((goaway) => !goaway.startsWith("GOAWAY 0"));
    assert.deepEqual(errors, []);
  }

  /** Whether time is left. */
  get isOn() {
    return Date.now() < this.#end;
  }

  /** The connection shared by requests. */
  get connection() {
    return (this.#connection ??= this.connect());
  }

  /** Opens a separate connection. */
  connect() {
    this.connections += 1;
    const goaway = (code, last, data) => this.#goaways.push(`GOAWAY ${code}, last stream ${last}, "${data ?? ""}"`);
    return this.client.connect(this.url, this.config, goaway);
  }

  /** The size of a large transfer in bytes: all of it in long runs. */
  size(bytes) {
    return this.config.scale ? Math.min(bytes, this.config.scale) : this.seconds < BRIEF ? 16_000_000 : bytes;
  }

  /** Repeats something at least this many times until the time is over, with the concurrency of the run. */
  async repeat(something, least = 1, atATime = this.atATime) {
    const worker = async () => {
      for (let times = 0; times < least || this.isOn; times++) {
        await something(times);
      }
    };
    await all(Array.from({ length: atATime }, worker));
  }

  /** Makes a request whose response must be complete. */
  async exchange(request, { status = 200, connection = this.connection } = {}) {
    const response = await connection.request({ method: "GET", ...request });
    assert.equal(response.status, status, `${request.path}: status`);
    const chunks = [];
    for await (const chunk of response.content) {
      chunks.push(chunk);
      this.bytes += chunk.length;
    }
    this.requests += 1;
    return Buffer.concat(chunks);
  }
}

/** Waits for all, and fails with the first error. */
const all = (promises) => Promise.all(promises);

/** Waits for the first of some events. */
const first = (emitter, ...names) =>
  new Promise((resolve) => {
    const done = () => {
      names.forEach((name) => emitter.off(name, done));
      resolve();
    };
    names.forEach((name) => emitter.on(name, done));
  });

async function get(run) {
  const text = await run.exchange({ path: "/" });
  assert.ok(text.length > 0);
  await run.repeat(async () => assert.deepEqual(await run.exchange({ path: "/" }), text), 10);
}

async function post(run) {
  const content = Buffer.from("hello");
  await run.repeat(async () => {
    assert.deepEqual(await run.exchange({ method: "POST", path: "/echo", content }), content);
  }, 10);
}

/** Downloads content, which `read` consumes. */
async function downloads(run, bytes, read) {
  await run.repeat(async () => {
    const { status, content } = await run.connection.request({ method: "GET", path: `/bytes/${bytes}` });
    assert.equal(status, 200);
    let received = 0;
    const take = (chunk) => (received += chunk?.length ?? 0);
    await read(content, take);
    assert.equal(received, bytes);
    run.requests += 1;
    run.bytes += received;
  }, 1, 1);
}

async function readAll(content, take) {
  for await (const chunk of content) {
    take(chunk);
  }
}

const download = (run) => downloads(run, run.size(200_000_000), readAll);

/** Reads with one pause, as long as the run allows, up to 75 s, and many short ones. */
const downloadSlow = (run) =>
  downloads(run, run.size(20_000_000), async (content, take) => {
    const ended = once(content, "end");
    let next = 0, received = 0;
    content.on("data", async (chunk) => {
      take(chunk);
      received += chunk.length;
      if (received >= next) {
        const pause = next === 0 ? 1000 * Math.min(75, Math.max(1, run.seconds)) : 50;
        next += 2_000_000;
        content.pause();
        await sleep(pause);
        content.resume();
      }
    });
    await ended;
  });

/** Reads 1 KiB at a time, whatever arrives. */
const downloadSteps = (run) =>
  downloads(run, run.size(20_000_000), async (content, take) => {
    let ended = false;
    content.once("end", () => (ended = true));
    while (!ended) {
      const chunk = content.read(Math.min(1024, content.readableLength || 1));
      take(chunk);
      if (chunk === null && !ended) {
        await first(content, "readable", "end", "close");
        assert.ok(ended || !content.destroyed, content.errored);
      }
    }
  });

/** Content of a request, in pieces. */
async function* zeros(bytes) {
  const piece = Buffer.alloc(64 << 10);
  for (let left = bytes; left > 0; left -= piece.length) {
    yield left < piece.length ? piece.subarray(0, left) : piece;
  }
}

/** The path at which our server counts received content: one has it at /upload, the other at /. */
async function uploadPath(run) {
  const { status, content } = await run.connection.request({ method: "POST", path: "/upload", content: Buffer.alloc(1) });
  await readAll(content, () => {});
  return status === 404 ? "/" : "/upload";
}

async function upload(run) {
  const bytes = run.size(100_000_000);
  const path = await uploadPath(run);
  await run.repeat(async () => {
    const content = Readable.from(zeros(bytes));
    const text = await run.exchange({ method: "POST", path, content });
    assert.match(text.toString(), new RegExp(`\\b${bytes}\\b`));
    run.bytes += bytes;
  }, 1, 1);
}

/** Begins an endless request, and cancels it immediately, after its response has begun, or after a moment. */
async function beginAndCancel(run, number) {
  const path = number % 2 ? "/endless" : "/delay/60000";
  const response = run.connection.request({ method: "GET", path, cancelAfter: [0, 5, 50][number % 3] });
  try {
    const { content, cancel } = await response;
    content.on("error", () => {});
    await Promise.race([first(content, "data", "close"), sleep(10)]);
    cancel();
    content.resume();
  } catch (error) {
    assert.ok(error.isCancellation, error);
  }
  run.requests += 1;
}

async function cancel(run) {
  do {
    for (const count of [100, 1000]) {
      await all(Array.from({ length: count }, (_, number) => beginAndCancel(run, number)));
      await run.exchange({ path: "/" });
    }
  } while (run.isOn);
}

/** A stream on /echo with messages in both directions. */
class Echo {
  static async open(run) {
    const sent = new PassThrough();
    const echo = new Echo();
    // Some clients report the response only when there is content.
    const first = Buffer.from("first");
    sent.write(first);
    const { status, content } = await run.connection.request({ method: "POST", path: "/echo", content: sent });
    assert.equal(status, 200);
    Object.assign(echo, { run, sent, chunks: content[Symbol.asyncIterator](), kept: Buffer.alloc(0) });
    await echo.expect(first);
    return echo;
  }

  async send(message) {
    if (!this.sent.write(message)) {
      await once(this.sent, "drain");
    }
  }

  async expect(message) {
    const parts = [this.kept];
    for (let length = this.kept.length; length < message.length; ) {
      const { value, done } = await this.chunks.next();
      assert.ok(!done, "the response has ended");
      parts.push(value);
      length += value.length;
    }
    const received = Buffer.concat(parts);
    assert.ok(received.subarray(0, message.length).equals(message), "another message");
    this.kept = received.subarray(message.length);
    this.run.bytes += message.length;
  }

  async close() {
    this.sent.end();
    assert.equal((await this.chunks.next()).done, true, "more content than was sent");
    this.run.requests += 1;
  }
}

/** Exchanges messages one by one, then this many without waiting. */
async function echo(run, message, pipelined) {
  await run.repeat(async () => {
    const echo = await Echo.open(run);
    for (let times = 0; times < 10; times++) {
      await echo.send(message);
      await echo.expect(message);
    }
    const sending = (async () => {
      for (let times = 0; times < pipelined; times++) {
        await echo.send(message);
      }
    })();
    for (let times = 0; times < pipelined; times++) {
      await echo.expect(message);
    }
    await sending;
    await echo.close();
  }, 1, Math.min(run.atATime, 10));
}

/** Keeps a long stream open, while 300 other requests per second are begun and cancelled. */
async function cancelBeside(run) {
  const long = await Echo.open(run);
  const end = Date.now() + 1000 * Math.max(3, run.seconds);
  const others = new Set();
  for (let number = 0; Date.now() < end; ) {
    for (let times = 0; times < 3; times++, number++) {
      const other = beginAndCancel(run, number).then(() => others.delete(other));
      others.add(other);
      // It is awaited in the end.
      other.catch(() => {});
    }
    await long.send(MESSAGE);
    await long.expect(MESSAGE);
    await sleep(10);
  }
  await all(others);
  await long.close();
}

/** Makes uploads that are answered before they have arrived; every other one cannot be sent twice. */
async function answeredEarly(run, path, status, bytes) {
  await run.repeat(async (times) => {
    const content = times % 2 ? Readable.from([MEGABYTE.subarray(0, 500_000), MEGABYTE.subarray(500_000)]) : MEGABYTE;
    const received = await run.exchange({ method: "POST", path, content }, { status });
    assert.ok(bytes === undefined ? received.length > 0 : received.length === bytes, `${received.length} bytes`);
  }, 5);
}

/** Sends PINGs in succession beside requests, as many at a time as the configuration says. */
async function ping(run) {
  const { pings = 1, pause = 10 } = run.config;
  let isDone = false;
  await run.connection.connected;
  const pinging = all(Array.from({ length: pings }, async () => {
    while (!isDone) {
      await run.connection.ping();
      await sleep(pause);
    }
  }));
  await get(run);
  isDone = true;
  await pinging;
}

/** Opens a connection for each request. */
async function sessions(run) {
  await run.repeat(async () => {
    const connection = run.connect();
    await run.exchange({ path: "/" }, { connection });
    connection.close();
  }, 20);
}

/** Runs all other cases except the long ones, five at a time, on one connection. */
async function soak(run) {
  const names = ["get", "post", "cancel", "refuse", "early", "echo-tiny", "echo-big", "download-steps", "upload"];
  const brief = Object.create(run, { isOn: { value: false }, seconds: { value: 0 }, atATime: { value: 5 } });
  // Counts are added to the run itself.
  for (const count of ["requests", "bytes"]) {
    Object.defineProperty(brief, count, { get: () => run[count], set: (value) => (run[count] = value) });
  }
  Object.defineProperty(brief, "connection", { value: run.connection });
  let next = 0;
  await run.repeat(() => CASES[names[next++ % names.length]](brief), 3, 5);
}

export const CASES = {
  get,
  post,
  download,
  "download-slow": downloadSlow,
  "download-steps": downloadSteps,
  upload,
  cancel,
  "cancel-beside": cancelBeside,
  refuse: (run) => answeredEarly(run, "/refuse", 401),
  early: (run) => answeredEarly(run, "/early", 200, 10_000),
  "echo-tiny": (run) => echo(run, MESSAGE, 1000),
  "echo-big": (run) => echo(run, LARGE_MESSAGE.subarray(0, run.config.message), 10),
  ping,
  sessions,
  soak,
};
