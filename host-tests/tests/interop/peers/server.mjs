// Node's HTTP/2 server for tests of our client: prints its URL, echoes content, and counts connections and requests.

import http2 from "node:http2";

let sessions = 0;
let requests = 0;
const server = http2.createServer();

server.on("session", () => (sessions += 1));
server.on("stream", (stream, headers) => {
  requests += 1;
  stream.on("error", () => {});
  const path = headers[":path"];
  if (path === "/counts") {
    stream.respond({ ":status": 200 });
    stream.end(`${sessions} connections, ${requests} requests\n`);
  } else if (path === "/hints") {
    stream.additionalHeaders({ ":status": 103, link: "</style.css>; rel=preload" });
    stream.respond({ ":status": 200 });
    stream.end("hinted\n");
  } else if (path === "/trailers") {
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-check": "sum" }));
    stream.end("with trailers\n");
  } else if (path === "/reset") {
    stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  } else if (path === "/cut") {
    stream.respond({ ":status": 200, "content-length": 1_000 });
    stream.write("less than was promised", () => stream.session.socket.destroy());
  } else if (path.startsWith("/bytes/")) {
    stream.respond({ ":status": 200 });
    stream.end(Buffer.alloc(Number(path.slice("/bytes/".length)), "x"));
  } else {
    stream.respond({ ":status": 200 });
    stream.pipe(stream);
  }
});
server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
