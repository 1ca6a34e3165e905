package peers.servers;

import java.io.InputStream;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http2.HTTP2Connection;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.Callback;
import peers.Routes;
import peers.Server;

/** Jetty 12.1. */
public final class Jetty implements Server {
    private final org.eclipse.jetty.server.Server server = new org.eclipse.jetty.server.Server();
    private final ServerConnector connector;
    private final Set<Connection> open = ConcurrentHashMap.newKeySet();

    public Jetty(Settings settings) throws Exception {
        HTTP2CServerConnectionFactory factory = new HTTP2CServerConnectionFactory(new HttpConfiguration());
        if (settings.custom()) {
            factory.setMaxConcurrentStreams(settings.streams());
            factory.setInitialStreamRecvWindow(settings.window());
            factory.setMaxFrameSize(settings.maxFrame());
            factory.setMaxDecoderTableCapacity(0);
            factory.setMaxEncoderTableCapacity(0);
        }
        connector = new ServerConnector(server, factory);
        connector.setHost("127.0.0.1");
        connector.addBean(new Connection.Listener() {
            @Override
            public void onOpened(Connection connection) {
                open.add(connection);
            }

            @Override
            public void onClosed(Connection connection) {
                open.remove(connection);
            }
        });
        settings.again(this::shutConnectionsDown);
        server.addConnector(connector);
        server.setHandler(new GracefulHandler(new Handler.Abstract() {
            @Override
            public boolean handle(Request request, Response response, Callback callback) {
                answer(request, response, callback);
                return true;
            }
        }));
        server.setStopTimeout(30_000);
        server.start();
    }

    @Override
    public int port() {
        return connector.getLocalPort();
    }

    @Override
    public void close() throws Exception {
        server.stop();
    }

    private void shutConnectionsDown() {
        for (Connection connection : open) {
            if (connection instanceof HTTP2Connection http2) {
                http2.getSession().shutdown();
            }
        }
    }

    private static void answer(Request request, Response response, Callback callback) {
        InputStream content = Content.Source.asInputStream(request);
        try {
            Routes.serve(request.getMethod(), Request.getPathInContext(request), content, (status, length) -> {
                response.setStatus(status);
                if (status == 401) {
                    response.getHeaders().put(HttpHeader.WWW_AUTHENTICATE, Routes.CHALLENGE);
                }
                if (length >= 0) {
                    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, length);
                }
                return Content.Sink.asOutputStream(response);
            });
            callback.succeeded();
        } catch (Throwable error) {
            callback.failed(error);
        }
    }
}
