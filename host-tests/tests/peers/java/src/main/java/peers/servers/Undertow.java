package peers.servers;

import java.net.InetSocketAddress;

import io.undertow.UndertowOptions;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.BlockingHandler;
import io.undertow.util.Headers;
import peers.Routes;
import peers.Server;

/** Undertow 2.4. */
public final class Undertow implements Server {
    /** Its default of eight per core deadlocks with more concurrent uploads than that, from any client. */
    private static final int WORKERS = 200;

    private final io.undertow.Undertow undertow;

    public Undertow(Settings settings) {
        io.undertow.Undertow.Builder builder = io.undertow.Undertow.builder().addHttpListener(0, "127.0.0.1")
                .setWorkerThreads(WORKERS).setServerOption(UndertowOptions.ENABLE_HTTP2, true)
                // Its default limit is 2 MiB.
                .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, -1L)
                .setHandler(new BlockingHandler(Undertow::answer));
        if (settings.custom()) {
            builder.setServerOption(UndertowOptions.HTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.streams())
                    .setServerOption(UndertowOptions.HTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.window())
                    .setServerOption(UndertowOptions.HTTP2_SETTINGS_MAX_FRAME_SIZE, settings.maxFrame())
                    .setServerOption(UndertowOptions.HTTP2_SETTINGS_HEADER_TABLE_SIZE, 0);
        }
        undertow = builder.build();
        undertow.start();
    }

    @Override
    public int port() {
        return ((InetSocketAddress) undertow.getListenerInfo().get(0).getAddress()).getPort();
    }

    @Override
    public void close() {
        undertow.stop();
    }

    private static void answer(HttpServerExchange exchange) throws Exception {
        Routes.serve(exchange.getRequestMethod().toString(), exchange.getRequestPath(), exchange.getInputStream(),
                (status, length) -> {
                    exchange.setStatusCode(status);
                    if (status == 401) {
                        exchange.getResponseHeaders().put(Headers.WWW_AUTHENTICATE, Routes.CHALLENGE);
                    }
                    if (length >= 0) {
                        exchange.setResponseContentLength(length);
                    }
                    return exchange.getOutputStream();
                });
    }
}
