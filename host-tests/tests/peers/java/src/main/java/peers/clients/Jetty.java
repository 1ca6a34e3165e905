package peers.clients;

import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.eclipse.jetty.client.AsyncRequestContent;
import org.eclipse.jetty.client.BytesRequestContent;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.InputStreamRequestContent;
import org.eclipse.jetty.client.InputStreamResponseListener;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.http2.HTTP2Connection;
import org.eclipse.jetty.http2.api.Session;
import org.eclipse.jetty.http2.client.HTTP2Client;
import org.eclipse.jetty.http2.client.transport.HttpClientTransportOverHTTP2;
import org.eclipse.jetty.http2.frames.PingFrame;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.util.Callback;
import peers.Body;
import peers.Client;
import peers.Exchange;
import peers.Incoming;
import peers.Target;
import peers.Waiting;

/** Jetty 12.1; awkward are windows of 1 KiB, and frames and tables at the limits of their ranges. */
public final class Jetty implements Client {
    private final Set<Session> sessions = ConcurrentHashMap.newKeySet();
    private final AtomicLong connections = new AtomicLong();
    private final Target target;
    private final HttpClient client;

    public Jetty(Target target, boolean awkward) throws Exception {
        this.target = target;
        HTTP2Client http2 = new HTTP2Client();
        if (awkward) {
            http2.setInitialStreamRecvWindow(1024);
            http2.setMaxFrameSize((1 << 24) - 1);
            http2.setMaxDecoderTableCapacity(0);
            http2.setMaxEncoderTableCapacity(0);
        }
        client = new HttpClient(new HttpClientTransportOverHTTP2(http2));
        client.addBean(new Connection.Listener() {
            @Override
            public void onOpened(Connection connection) {
                connections.incrementAndGet();
                if (connection instanceof HTTP2Connection it) {
                    sessions.add(it.getSession());
                }
            }

            @Override
            public void onClosed(Connection connection) {
                if (connection instanceof HTTP2Connection it) {
                    sessions.remove(it.getSession());
                }
            }
        });
        client.setMaxRequestsQueuedPerDestination(2000);
        client.start();
    }

    @Override
    public Exchange open(String method, String path, Body body) {
        Request request = client.newRequest(target.url(path)).method(method);
        AsyncRequestContent writer = body.kind() == Body.Kind.DUPLEX ? new AsyncRequestContent() : null;
        switch (body.kind()) {
            case NONE -> {}
            case REPLAYABLE -> request.body(new BytesRequestContent(body.bytes()));
            case ONCE -> request.body(new InputStreamRequestContent(body.stream()));
            case DUPLEX -> request.body(writer);
        }
        InputStreamResponseListener response = new InputStreamResponseListener();
        request.send(response);
        return new Running(request, response, response.getInputStream(), writer);
    }

    @Override
    public void ping() throws Exception {
        for (Session session : sessions) {
            Callback.Completable sent = new Callback.Completable();
            session.ping(new PingFrame(System.nanoTime(), false), sent);
            Waiting.on(sent);
        }
    }

    @Override
    public long longestPause() {
        return 20_000;
    }

    @Override
    public long connections() {
        return connections.get();
    }

    @Override
    public void close() throws Exception {
        client.stop();
    }

    private record Running(Request request, InputStreamResponseListener response, InputStream content,
            AsyncRequestContent writer) implements Exchange {
        @Override
        public int status() throws Exception {
            return response.get(Incoming.PATIENCE, TimeUnit.SECONDS).getStatus();
        }

        @Override
        public int read(byte[] buffer) throws Exception {
            return content.read(buffer);
        }

        @Override
        public void write(byte[] bytes) throws Exception {
            Callback.Completable written = new Callback.Completable();
            writer.write(ByteBuffer.wrap(bytes), written);
            Waiting.on(written);
        }

        @Override
        public void end() {
            writer.close();
        }

        @Override
        public void cancel() {
            request.abort(new Exception("cancelled by the case"));
        }
    }
}
