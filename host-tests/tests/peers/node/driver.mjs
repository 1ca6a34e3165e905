// The driver for Node's HTTP/2 and for packages from npm. README.md in the parent folder describes its
// command line.

import { Run } from "./cases.mjs";
import * as grpcClient from "./grpc-client.mjs";
import * as grpcServer from "./grpc-server.mjs";
import * as http2Client from "./http2-client.mjs";
import * as http2Server from "./http2-server.mjs";
import * as undiciClient from "./undici-client.mjs";

const CLIENTS = [http2Client, undiciClient, grpcClient];
const SERVERS = [http2Server, grpcServer];
// Servers that can be started, but are not peers.
const OTHERS = [http2Server.origin];

function list() {
  for (const [role, peers] of [["client", CLIENTS], ["server", SERVERS]]) {
    for (const { name, configs, cases, omitted = [] } of peers) {
      for (const config of Object.keys(configs)) {
        const its = typeof cases === "function" ? cases(config) : Object.keys(cases);
        console.log(role, name, config, ...its);
        for (const [name_, reason] of omitted) {
          console.log("omit", role, name, config, name_, reason);
        }
      }
    }
  }
}

async function client([name, config, what, url, seconds, atATime]) {
  const peer = CLIENTS.find((client) => client.name === name);
  const run = new Run(peer, peer.configs[config], url, Number(seconds), Number(atATime));
  await run.case(peer.cases[what]);
  console.log(JSON.stringify({ requests: run.requests, bytes: run.bytes, connections: run.connections }));
  process.exit(0);
}

async function server([name, config]) {
  const peer = [...SERVERS, ...OTHERS].find((server) => server.name === name);
  const port = await peer.listen(peer.configs[config]);
  console.log(`PORT ${port}`);
  process.stdin.resume();
  process.stdin.on("end", () => process.exit(0));
}

const [role, ...rest] = process.argv.slice(2);
try {
  await { list, client, server }[role](rest);
} catch (error) {
  console.error(error);
  process.exit(1);
}
