package peers.clients;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.H2AsyncClientBuilder;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.AsyncResponseConsumer;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.nio.entity.AsyncEntityProducers;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.http2.config.H2Config;
import org.apache.hc.core5.util.Timeout;
import peers.Body;
import peers.Client;
import peers.Exchange;
import peers.Incoming;
import peers.Target;

/** Apache's asynchronous client. It gives credit as the case reads; awkward is a window of 1 KiB. */
public final class Apache implements Client {
    private final Target target;
    private final CloseableHttpAsyncClient client;

    public Apache(Target target, boolean awkward) {
        this.target = target;
        H2AsyncClientBuilder builder = HttpAsyncClients.customHttp2().disableAutomaticRetries().setDefaultRequestConfig(
                RequestConfig.custom().setResponseTimeout(Timeout.ofSeconds(Incoming.PATIENCE)).build());
        if (awkward) {
            builder.setH2Config(H2Config.custom().setInitialWindowSize(1024).setMaxFrameSize((1 << 24) - 1)
                    .setHeaderTableSize(0).setCompressionEnabled(false).setPushEnabled(false).build());
        }
        client = builder.build();
        client.start();
    }

    @Override
    public Exchange open(String method, String path, Body body) throws Exception {
        Outgoing outgoing = switch (body.kind()) {
            case NONE, REPLAYABLE -> null;
            case ONCE, DUPLEX -> new Outgoing(body);
        };
        AsyncEntityProducer content = body.kind() == Body.Kind.REPLAYABLE
                ? AsyncEntityProducers.create(body.bytes(), ContentType.APPLICATION_OCTET_STREAM) : outgoing;
        Consumer consumer = new Consumer();
        var request = SimpleRequestBuilder.create(method).setUri(target.url(path)).build();
        Future<Void> future = client.execute(new BasicRequestProducer(request, content), consumer, null,
                HttpClientContext.create(), new FutureCallback<Void>() {
                    @Override
                    public void completed(Void result) {}

                    @Override
                    public void failed(Exception error) {
                        consumer.failed(error);
                    }

                    @Override
                    public void cancelled() {
                        consumer.failed(new IOException("cancelled"));
                    }
                });
        return new Running(future, consumer, outgoing);
    }

    @Override
    public boolean creditByByte() {
        return true;
    }

    @Override
    public void close() throws IOException {
        client.close();
    }

    private static final class Consumer implements AsyncResponseConsumer<Void> {
        private final AtomicLong owed = new AtomicLong();
        private final Incoming incoming = new Incoming((bytes, wholeChunk) -> give(bytes));
        private volatile CapacityChannel channel;
        private FutureCallback<Void> result;

        private void give(int bytes) {
            owed.addAndGet(bytes);
            CapacityChannel to = channel;
            if (to != null) {
                try {
                    to.update((int) owed.getAndSet(0));
                } catch (IOException error) {
                    failed(error);
                }
            }
        }

        @Override
        public void consumeResponse(HttpResponse response, EntityDetails entity, HttpContext context,
                FutureCallback<Void> callback) {
            result = callback;
            incoming.head(response.getCode());
            if (entity == null) {
                streamEnd(null);
            }
        }

        @Override
        public void informationResponse(HttpResponse response, HttpContext context) {}

        @Override
        public void updateCapacity(CapacityChannel to) {
            channel = to;
            give(0);
        }

        @Override
        public void consume(ByteBuffer content) {
            byte[] bytes = new byte[content.remaining()];
            content.get(bytes);
            incoming.data(bytes);
        }

        @Override
        public void streamEnd(List<? extends Header> trailers) {
            incoming.end();
            result.completed(null);
        }

        @Override
        public void failed(Exception error) {
            incoming.fail(error);
        }

        @Override
        public void releaseResources() {}
    }

    private record Running(Future<Void> future, Consumer consumer, Outgoing outgoing) implements Exchange {
        @Override
        public int status() throws Exception {
            return consumer.incoming.status();
        }

        @Override
        public int read(byte[] buffer) throws Exception {
            return consumer.incoming.read(buffer);
        }

        @Override
        public void write(byte[] bytes) throws Exception {
            outgoing.write(bytes);
        }

        @Override
        public void end() throws Exception {
            outgoing.end();
        }

        @Override
        public void cancel() {
            future.cancel(true);
        }
    }
}
