// Shared by Node's HTTP/2 clients.

/** Sends a request, and returns its stream and a promise of the response. */
export function start(session, headers, content, trailers) {
  const stream = session.request(headers, { endStream: content === undefined, waitForTrailers: trailers !== undefined });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  const response = new Promise((resolve, reject) => {
    const received = { informational: [], chunks: [] };
    stream.on("headers", (head) => received.informational.push(head[":status"]));
    stream.on("response", (head) => (received.head = head));
    stream.on("trailers", (fields) => (received.trailers = fields));
    stream.on("data", (chunk) => received.chunks.push(chunk));
    stream.on("end", () => resolve({ ...received, content: Buffer.concat(received.chunks) }));
    stream.on("error", reject);
  });
  if (content !== undefined) {
    stream.end(content);
  }
  return { stream, response };
}
