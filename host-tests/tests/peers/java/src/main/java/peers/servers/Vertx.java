package peers.servers;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import peers.Routes;
import peers.Server;
import peers.Waiting;

/** Vert.x 5: Netty's HTTP/2. */
public final class Vertx implements Server {
    private static final Buffer CHUNK = Buffer.buffer("a".repeat(16 << 10));

    private final io.vertx.core.Vertx vertx = io.vertx.core.Vertx.vertx();
    private final Set<HttpConnection> open = ConcurrentHashMap.newKeySet();
    private final HttpServer server;

    public Vertx(Settings settings) throws Exception {
        HttpServerOptions options = new HttpServerOptions().setHost("127.0.0.1").setPort(0);
        if (settings.custom()) {
            options.setInitialSettings(new Http2Settings().setMaxConcurrentStreams(settings.streams())
                    .setInitialWindowSize(settings.window()).setMaxFrameSize(settings.maxFrame())
                    .setHeaderTableSize(0));
        }
        HttpServer unstarted = vertx.createHttpServer(options).requestHandler(this::answer)
                .connectionHandler(connection -> {
                    open.add(connection);
                    connection.closeHandler(closed -> open.remove(connection));
                });
        server = Waiting.stage(unstarted.listen().toCompletionStage());
        settings.again(() -> open.forEach(HttpConnection::shutdown));
    }

    @Override
    public int port() {
        return server.actualPort();
    }

    @Override
    public void close() throws Exception {
        Waiting.stage(vertx.close().toCompletionStage());
    }

    private void answer(HttpServerRequest request) {
        HttpServerResponse response = request.response();
        response.exceptionHandler(cancelled -> {});
        request.exceptionHandler(cancelled -> {});
        String path = request.path();
        if (path.startsWith("/bytes/")) {
            give(response, Long.parseLong(path.substring("/bytes/".length())));
        } else if (path.startsWith("/delay/")) {
            long millis = Long.parseLong(path.substring("/delay/".length()));
            vertx.setTimer(Math.max(1, millis), late -> response.end("that took a while\n"));
        } else if (path.equals("/upload") || path.equals("/") && request.method().name().equals("POST")) {
            AtomicLong count = new AtomicLong();
            request.handler(content -> count.addAndGet(content.length()));
            request.endHandler(end -> response.end(count + "\n"));
        } else if (path.equals("/echo")) {
            response.setChunked(true);
            request.pipeTo(response);
        } else if (path.equals("/refuse")) {
            response.setStatusCode(401).putHeader("www-authenticate", Routes.CHALLENGE).end("no\n");
        } else if (path.equals("/early")) {
            give(response, Routes.EARLY);
        } else if (path.equals("/endless")) {
            response.setChunked(true);
            write(response, Long.MAX_VALUE);
        } else if (path.equals("/")) {
            response.end("Hello from Vert.x.\n");
        } else {
            response.setStatusCode(404).end("there is nothing here\n");
        }
    }

    private static void give(HttpServerResponse response, long size) {
        response.putHeader("content-length", Long.toString(size));
        write(response, size);
    }

    /** Writes as long as there is room, and continues when there is room again. */
    private static void write(HttpServerResponse response, long size) {
        long left = size;
        while (left > 0 && !response.closed()) {
            if (response.writeQueueFull()) {
                long rest = left;
                response.drainHandler(room -> write(response, rest));
                return;
            }
            Buffer chunk = left < CHUNK.length() ? CHUNK.slice(0, (int) left) : CHUNK;
            response.write(chunk);
            left -= chunk.length();
        }
        if (!response.closed()) {
            response.end();
        }
    }
}
