// grpc-js, gRPC's implementation on Node's HTTP/2, as a server.

import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { echo, grpc, test } from "./grpc-protos.mjs";

export const name = "grpc-js";
export const cases = () => ["grpc-interop"];
export const configs = {
  default: {},
  // GOAWAY after a second; one PING per second; few concurrent calls.
  awkward: {
    "grpc.max_connection_age_ms": 1000,
    "grpc.max_connection_age_grace_ms": 60_000,
    "grpc.keepalive_time_ms": 1000,
    "grpc.max_concurrent_streams": 5,
  },
};

const INITIAL = "x-grpc-test-echo-initial";
const TRAILING = "x-grpc-test-echo-trailing-bin";

/** Echoes the metadata that the request asks for; returns the part for the trailers. */
function echoMetadata(call) {
  const [initial, trailing] = [new grpc.Metadata(), new grpc.Metadata()];
  for (const [name, metadata] of [[INITIAL, initial], [TRAILING, trailing]]) {
    call.metadata.get(name).forEach((value) => metadata.add(name, value));
  }
  call.sendMetadata(initial);
  return trailing;
}

/** The error that a message asks for, unless it is OK. */
const wantedError = ({ response_status: status }, metadata) =>
  status?.code ? { code: status.code, details: status.message, metadata } : null;

/** A message with this many bytes; a size of 0 is not transmitted. */
const zeros = (size = 0) => ({ payload: { body: Buffer.alloc(size) } });

async function writeResponses(call, { response_parameters: wanted = [] }) {
  for (const { size, interval_us: interval } of wanted) {
    if (interval) {
      await sleep(interval / 1000);
    }
    call.write(zeros(size));
  }
}

const testService = {
  EmptyCall: (call, done) => done(null, {}),
  UnaryCall: (call, done) => {
    const trailing = echoMetadata(call);
    done(wantedError(call.request, trailing), zeros(call.request.response_size), trailing);
  },
  StreamingOutputCall: async (call) => {
    await writeResponses(call, call.request);
    call.end();
  },
  StreamingInputCall: async (call, done) => {
    let size = 0;
    call.on("data", (message) => (size += message.payload?.body.length ?? 0));
    call.on("end", () => done(null, { aggregated_payload_size: size }));
  },
  FullDuplexCall: async (call) => {
    const trailing = echoMetadata(call);
    call.on("error", () => {});
    let isOver = false, last = Promise.resolve();
    call.on("data", (message) => {
      last = last.then(async () => {
        const error = wantedError(message, trailing);
        if (error && !isOver) {
          isOver = true;
          return call.emit("error", error);
        }
        await writeResponses(call, message);
      });
    });
    call.on("end", () => last.then(() => isOver || call.end(trailing)));
  },
};

const echoService = {
  Whole: (call, done) => done(null, call.request),
  Each: (call) => {
    call.sendMetadata(new grpc.Metadata());
    call.on("error", () => {});
    call.on("data", (message) => call.write(message));
    call.on("end", () => call.end());
  },
};

export async function listen(options) {
  const all = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1, ...options };
  const server = new grpc.Server(all);
  server.addService(test.TestService.service, testService);
  server.addService(echo.Echo.service, echoService);
  return promisify(server.bindAsync.bind(server))("127.0.0.1:0", grpc.ServerCredentials.createInsecure());
}
