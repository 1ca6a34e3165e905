// Node's server, for HTTP/2 or, behind a proxy, for HTTP/1.1. Arguments: http1 or http2, and the folder to serve.

import { createReadStream, statSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import { basename, join } from "node:path";

const [version, folder] = process.argv.slice(2);

function answer(request, response) {
  request.on("error", () => {});
  response.on("error", () => {});
  const hint = "</style.css>; rel=preload; as=style";
  switch (request.url) {
    case "/echo":
      if (version === "http1") {
        // Apache and H2O send a whole request before they read the response.
        const chunks = [];
        request.on("data", (chunk) => chunks.push(chunk));
        request.on("end", () => response.end(Buffer.concat(chunks)));
      } else {
        request.pipe(response);
      }
      break;
    case "/hints":
      response.writeEarlyHints({ link: hint });
      response.end("hinted\n");
      break;
    case "/trailers":
      response.setHeader("trailer", "x-check");
      response.write("with trailers\n");
      response.addTrailers({ "x-check": "sum" });
      response.end();
      break;
    default: {
      const file = join(folder, basename(request.url));
      response.setHeader("content-length", statSync(file).size);
      if (request.method === "HEAD") {
        response.end();
        break;
      }
      const content = createReadStream(file);
      content.pipe(response);
      response.on("close", () => content.destroy());
    }
  }
}

const server = version === "http1" ? http.createServer(answer) : http2.createServer(answer);
const sessions = new Set();
server.on("session", (session) => {
  session.on("error", () => {});
  session.on("close", () => sessions.delete(session));
  sessions.add(session);
});
process.on("SIGTERM", () => {
  server.close();
  sessions.forEach((session) => session.close());
});
server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
