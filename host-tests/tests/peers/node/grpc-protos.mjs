// The services of the gRPC guests, from their definitions, which are copied to this folder.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
export const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");

const load = (file) =>
  grpc.loadPackageDefinition(loadSync(new URL(file, import.meta.url).pathname, { keepCase: true, enums: Number }));

export const echo = load("echo.proto").http2.testing;
export const test = load("test.proto").grpc.testing;
