// grpc-js, gRPC's implementation on Node's HTTP/2, as a client.

import assert from "node:assert/strict";
import { on, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { echo, grpc, test } from "./grpc-protos.mjs";

const MIB = 1 << 20;

export const name = "grpc-js";
export const configs = {
  default: {},
  // One PING per second, even without calls.
  awkward: { "grpc.keepalive_time_ms": 1000, "grpc.keepalive_permit_without_calls": 1 },
  gzip: { "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip },
};

export function connect(url, options) {
  const target = url.replace("http://", "");
  const all = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1, ...options };
  const clients = [echo.Echo, test.TestService].map((Client) => new Client(target, grpc.credentials.createInsecure(), all));
  const [echoes, tests] = clients;
  return {
    whole: promisify(echoes.Whole.bind(echoes)),
    each: () => echoes.Each(),
    messages: (wanted) => tests.StreamingOutputCall(wanted),
    close: () => clients.forEach((client) => client.close()),
  };
}

async function unary(run) {
  await run.repeat(async (times) => {
    const content = { octets: Buffer.alloc(1 + (times % 1000), "x") };
    assert.deepEqual(await run.connection.whole(content), content);
    run.requests += 1;
  }, 10);
}

/** Exchanges messages in both directions on a stream, first one by one, then with many in flight. */
async function messages(run, size, count, atATime) {
  const content = { octets: Buffer.alloc(size, "x") };
  await run.repeat(async () => {
    const call = run.connection.each();
    const received = on(call, "data", { close: ["end"] });
    const expect = async () => {
      const { value, done } = await received.next();
      assert.ok(!done && value[0].octets.equals(content.octets), "another message");
      run.bytes += 2 * size;
    };
    for (let times = 0; times < count; times++) {
      call.write(content);
      await expect();
    }
    for (let times = 0; times < count; times++) {
      call.write(content);
    }
    call.end();
    for (let times = 0; times < count; times++) {
      await expect();
    }
    assert.equal((await received.next()).done, true);
    run.requests += 1;
  }, 1, atATime);
}

/** Reads a response of many messages of 1 KB. */
async function stream(run) {
  const count = Math.ceil(run.size(150_000_000) / 1000);
  const wanted = { response_parameters: Array(count).fill({ size: 1000 }) };
  await run.repeat(async () => {
    let received = 0;
    for await (const message of run.connection.messages(wanted)) {
      assert.equal(message.payload.body.length, 1000);
      received += 1;
    }
    assert.equal(received, count);
    run.requests += 1;
    run.bytes += 1000 * count;
  }, 1, 1);
}

/** Makes a call, and cancels it after its first message. */
async function beginAndCancel(run) {
  const call = run.connection.each();
  const ended = new Promise((resolve) => call.on("error", resolve));
  call.write({ octets: Buffer.from("first") });
  await Promise.race([once(call, "data"), ended]);
  call.cancel();
  assert.equal((await ended).code, grpc.status.CANCELLED);
  run.requests += 1;
}

/** Keeps a long stream open, while 300 calls per second are cancelled. */
async function cancelBeside(run) {
  const long = run.connection.each();
  const received = on(long, "data", { close: ["end"] });
  const others = [];
  const end = Date.now() + 1000 * Math.max(3, run.seconds);
  while (Date.now() < end) {
    others.push(...[1, 2, 3].map(() => beginAndCancel(run)));
    long.write({ octets: Buffer.alloc(100) });
    assert.equal((await received.next()).done, false);
    await sleep(10);
  }
  await Promise.all(others);
  long.end();
  assert.equal((await received.next()).done, true);
}

/** Pauses between calls, with only the PINGs of keepalive. */
async function idle(run) {
  await run.connection.whole({ octets: Buffer.alloc(1) });
  await sleep(1000 * Math.max(3, run.seconds));
  await run.connection.whole({ octets: Buffer.alloc(1) });
  run.requests += 2;
}

export const cases = {
  "grpc-unary": unary,
  "grpc-tiny": (run) => messages(run, 100, 100, run.atATime),
  "grpc-big": (run) => messages(run, MIB, 4, 2),
  "grpc-stream": stream,
  "grpc-cancel-beside": cancelBeside,
  "grpc-idle": idle,
};
