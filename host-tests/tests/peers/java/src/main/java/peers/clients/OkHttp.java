package peers.clients;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.EventListener;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import okio.Okio;
import peers.Body;
import peers.Client;
import peers.Exchange;
import peers.Incoming;
import peers.Target;
import peers.Waiting;

/** OkHttp 5. Its windows are not configurable; awkward is a PING every 5 s, to be acknowledged within 5 s. */
public final class OkHttp implements Client {
    private final AtomicLong connections = new AtomicLong();
    private final Target target;
    private final OkHttpClient client;

    public OkHttp(Target target, boolean awkward) {
        this.target = target;
        Dispatcher dispatcher = new Dispatcher();
        dispatcher.setMaxRequests(2000);
        dispatcher.setMaxRequestsPerHost(2000);
        OkHttpClient.Builder builder = new OkHttpClient.Builder().protocols(List.of(Protocol.H2_PRIOR_KNOWLEDGE))
                .dispatcher(dispatcher).readTimeout(Duration.ofSeconds(Incoming.PATIENCE))
                .eventListener(new EventListener() {
                    @Override
                    public void connectStart(Call call, java.net.InetSocketAddress address, java.net.Proxy proxy) {
                        connections.incrementAndGet();
                    }
                });
        if (target.run().equals("ping")) {
            builder.pingInterval(Duration.ofSeconds(2));
        }
        if (awkward) {
            builder.pingInterval(Duration.ofSeconds(5)).retryOnConnectionFailure(false)
                    .connectionPool(new ConnectionPool(0, 1, TimeUnit.SECONDS));
        }
        client = builder.build();
    }

    @Override
    public Exchange open(String method, String path, Body body) {
        Sink sink = body.kind() == Body.Kind.NONE ? null : new Sink(body);
        Call call = client.newCall(new Request.Builder().url(target.url(path)).method(method, sink).build());
        CompletableFuture<Response> response = new CompletableFuture<>();
        call.enqueue(new Callback() {
            @Override
            public void onFailure(Call call, IOException error) {
                response.completeExceptionally(error);
                if (sink != null) {
                    sink.writer.completeExceptionally(error);
                }
            }

            @Override
            public void onResponse(Call call, Response answer) {
                response.complete(answer);
            }
        });
        return new Running(call, response, sink);
    }

    @Override
    public long connections() {
        return connections.get();
    }

    @Override
    public void close() {
        client.dispatcher().executorService().shutdownNow();
        client.connectionPool().evictAll();
    }

    private static final class Sink extends RequestBody {
        private final CompletableFuture<BufferedSink> writer = new CompletableFuture<>();
        private final Body body;

        Sink(Body body) {
            this.body = body;
        }

        @Override
        public MediaType contentType() {
            return MediaType.get("application/octet-stream");
        }

        @Override
        public long contentLength() {
            return body.size();
        }

        @Override
        public boolean isDuplex() {
            return body.kind() == Body.Kind.DUPLEX;
        }

        @Override
        public boolean isOneShot() {
            return body.kind() == Body.Kind.ONCE;
        }

        @Override
        public void writeTo(BufferedSink sink) throws IOException {
            switch (body.kind()) {
                case DUPLEX -> writer.complete(sink);
                case ONCE -> sink.writeAll(Okio.source(body.stream()));
                default -> sink.write(body.bytes());
            }
        }
    }

    private record Running(Call call, CompletableFuture<Response> response, Sink sink) implements Exchange {
        @Override
        public int status() throws Exception {
            return Waiting.on(response).code();
        }

        @Override
        public int read(byte[] buffer) throws Exception {
            InputStream content = Waiting.on(response).body().byteStream();
            return content.read(buffer);
        }

        @Override
        public void write(byte[] bytes) throws Exception {
            Waiting.on(sink.writer).write(bytes).flush();
        }

        @Override
        public void end() throws Exception {
            Waiting.on(sink.writer).close();
        }

        @Override
        public void cancel() {
            call.cancel();
        }
    }
}
