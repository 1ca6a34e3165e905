package peers.clients;

import java.io.IOException;
import java.io.InputStream;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import peers.Body;
import peers.Client;
import peers.Exchange;
import peers.Incoming;
import peers.Target;
import peers.Waiting;

/** Vert.x 5; awkward are windows, frames and tables at the limits of their ranges. */
public final class Vertx implements Client {
    private final Set<HttpConnection> open = ConcurrentHashMap.newKeySet();
    private final AtomicLong connections = new AtomicLong();
    private final io.vertx.core.Vertx vertx = io.vertx.core.Vertx.vertx();
    private final Target target;
    private final HttpClient client;

    public Vertx(Target target, boolean awkward) {
        this.target = target;
        HttpClientOptions options = new HttpClientOptions().setProtocolVersion(HttpVersion.HTTP_2)
                .setHttp2ClearTextUpgrade(false);
        if (awkward) {
            options.setInitialSettings(new Http2Settings().setInitialWindowSize(1024).setMaxFrameSize((1 << 24) - 1)
                    .setHeaderTableSize(0).setPushEnabled(false));
        }
        client = vertx.httpClientBuilder().with(options).withConnectHandler(connection -> {
            connections.incrementAndGet();
            open.add(connection);
            connection.closeHandler(closed -> open.remove(connection));
        }).build();
    }

    @Override
    public Exchange open(String method, String path, Body body) {
        Running running = new Running();
        running.request = client.request(HttpMethod.valueOf(method), target.port(), target.host(), path);
        running.request.onFailure(running.incoming::fail).onSuccess(request -> {
            running.begin(request);
            switch (body.kind()) {
                case NONE -> request.end();
                case REPLAYABLE -> request.end(Buffer.buffer(body.bytes()));
                case DUPLEX -> request.setChunked(true).sendHead();
                case ONCE -> {
                    request.putHeader("content-length", Long.toString(body.size()));
                    send(request, body.stream());
                }
            }
        });
        return running;
    }

    private static void send(HttpClientRequest request, InputStream stream) {
        try {
            byte[] chunk = stream.readNBytes(16 << 10);
            if (chunk.length == 0) {
                request.end();
            } else {
                request.write(Buffer.buffer(chunk)).onSuccess(written -> send(request, stream));
            }
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    @Override
    public void ping() throws Exception {
        for (HttpConnection connection : open) {
            Waiting.stage(connection.ping(Buffer.buffer("12345678")).toCompletionStage());
        }
    }

    @Override
    public long connections() {
        return connections.get();
    }

    @Override
    public void close() throws Exception {
        Waiting.stage(vertx.close().toCompletionStage());
    }

    private static final class Running implements Exchange {
        private final Incoming incoming = new Incoming((bytes, wholeChunk) -> taken(wholeChunk));
        private Future<HttpClientRequest> request;
        private volatile HttpClientResponse response;

        private void begin(HttpClientRequest request) {
            request.exceptionHandler(incoming::fail);
            request.response().onFailure(incoming::fail).onSuccess(head -> {
                response = head;
                head.pause();
                head.handler(content -> incoming.data(content.getBytes()));
                head.endHandler(end -> incoming.end());
                head.exceptionHandler(incoming::fail);
                incoming.head(head.statusCode());
                head.fetch(1);
            });
        }

        private void taken(boolean wholeChunk) {
            if (wholeChunk) {
                response.fetch(1);
            }
        }

        @Override
        public int status() throws Exception {
            return incoming.status();
        }

        @Override
        public int read(byte[] buffer) throws Exception {
            return incoming.read(buffer);
        }

        @Override
        public void write(byte[] bytes) throws Exception {
            Waiting.stage(Waiting.stage(request.toCompletionStage()).write(Buffer.buffer(bytes)).toCompletionStage());
        }

        @Override
        public void end() throws Exception {
            Waiting.stage(Waiting.stage(request.toCompletionStage()).end().toCompletionStage());
        }

        @Override
        public void cancel() {
            request.onSuccess(begun -> begun.reset(8));
        }
    }
}
