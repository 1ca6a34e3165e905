package peers.clients;

import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.SubmissionPublisher;

import peers.Body;
import peers.Client;
import peers.Exchange;
import peers.Target;
import peers.Waiting;

/** The HTTP client of the JDK, through {@link TlsFront}; awkward are the smallest window and the largest frame. */
public final class Jdk implements Client {
    private final TlsFront front;
    private final HttpClient client;

    public Jdk(Target target, boolean awkward) throws Exception {
        if (awkward) {
            System.setProperty("jdk.httpclient.windowsize", "16384");
            System.setProperty("jdk.httpclient.connectionWindowSize", "65536");
            System.setProperty("jdk.httpclient.maxframesize", Integer.toString((1 << 24) - 1));
            System.setProperty("jdk.httpclient.hpack.maxheadertablesize", "0");
        }
        front = new TlsFront(target);
        client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).sslContext(front.context()).build();
    }

    @Override
    public Exchange open(String method, String path, Body body) {
        SubmissionPublisher<ByteBuffer> writer =
                body.kind() == Body.Kind.DUPLEX ? new SubmissionPublisher<>() : null;
        BodyPublisher content = switch (body.kind()) {
            case NONE -> BodyPublishers.noBody();
            case REPLAYABLE -> BodyPublishers.ofByteArray(body.bytes());
            case ONCE -> BodyPublishers.ofInputStream(body::stream);
            case DUPLEX -> BodyPublishers.fromPublisher(writer);
        };
        URI uri = URI.create("https://127.0.0.1:" + front.port() + path);
        HttpRequest request = HttpRequest.newBuilder(uri).method(method, content).build();
        return new Running(client.sendAsync(request, BodyHandlers.ofInputStream()), writer);
    }

    @Override
    public long connections() {
        return front.connections();
    }

    /** It does not queue requests above the server's stream limit, but fails them. */
    @Override
    public int mostAtOnce() {
        return 100;
    }

    @Override
    public boolean fullDuplex() {
        return false;
    }

    @Override
    public void close() throws Exception {
        front.close();
    }

    private record Running(CompletableFuture<HttpResponse<InputStream>> response, SubmissionPublisher<ByteBuffer> writer)
            implements Exchange {
        @Override
        public int status() throws Exception {
            HttpResponse<InputStream> head = Waiting.on(response);
            if (head.version() != HttpClient.Version.HTTP_2) {
                throw new IllegalStateException("the response came over " + head.version());
            }
            return head.statusCode();
        }

        @Override
        public int read(byte[] buffer) throws Exception {
            return Waiting.on(response).body().read(buffer);
        }

        @Override
        public void write(byte[] bytes) {
            writer.submit(ByteBuffer.wrap(bytes));
        }

        @Override
        public void end() {
            writer.close();
        }

        @Override
        public void cancel() {
            if (!response.cancel(true)) {
                try {
                    response.join().body().close();
                } catch (Exception error) {
                    // It has already failed.
                }
            }
        }
    }
}
