package peers.clients;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2PingFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.DefaultHttp2WindowUpdateFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2PingFrame;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.handler.codec.http2.Http2StreamChannelOption;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import peers.Body;
import peers.Client;
import peers.Exchange;
import peers.Incoming;
import peers.Target;
import peers.Waiting;

/** Netty's own HTTP/2 on one connection, with manual credit; awkward are the smallest settings that still work. */
public final class Netty implements Client {
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Map<Long, CompletableFuture<Void>> pings = new ConcurrentHashMap<>();
    private final AtomicLong lastPing = new AtomicLong();
    private final Target target;
    private final Channel connection;

    public Netty(Target target, boolean awkward) throws InterruptedException {
        this.target = target;
        Http2Settings settings = new Http2Settings();
        if (awkward) {
            settings.initialWindowSize(1_000).maxFrameSize((1 << 24) - 1).headerTableSize(0).pushEnabled(false);
        }
        Bootstrap bootstrap = new Bootstrap().group(group).channel(NioSocketChannel.class)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        // Requests above the server's stream limit wait.
                        channel.pipeline().addLast(Http2FrameCodecBuilder.forClient().initialSettings(settings)
                                .encoderEnforceMaxConcurrentStreams(true).build());
                        channel.pipeline().addLast(new Http2MultiplexHandler(new ChannelInboundHandlerAdapter()));
                        channel.pipeline().addLast(new OfConnection());
                    }
                });
        connection = bootstrap.connect(target.host(), target.port()).sync().channel();
    }

    @Override
    public Exchange open(String method, String path, Body body) {
        Running running = new Running();
        Http2Headers head = new DefaultHttp2Headers().method(method).scheme("http").authority(target.authority())
                .path(path);
        if (body.size() > 0) {
            head.setLong("content-length", body.size());
        }
        boolean ends = body.kind() == Body.Kind.NONE;
        new Http2StreamChannelBootstrap(connection).option(Http2StreamChannelOption.AUTO_STREAM_FLOW_CONTROL, false)
                .handler(running.new Handler()).open().addListener((Future<Http2StreamChannel> opened) -> {
                    if (!opened.isSuccess()) {
                        running.fail(opened.cause());
                        return;
                    }
                    Http2StreamChannel stream = opened.getNow();
                    stream.writeAndFlush(new DefaultHttp2HeadersFrame(head, ends)).addListener(running::check);
                    if (body.kind() == Body.Kind.REPLAYABLE) {
                        write(stream, body.bytes(), true).addListener(running::check);
                    } else if (body.kind() == Body.Kind.ONCE) {
                        send(running, stream, body.stream());
                    }
                    running.stream.complete(stream);
                });
        return running;
    }

    private static ChannelFuture write(Http2StreamChannel stream, byte[] bytes, boolean end) {
        return stream.writeAndFlush(new DefaultHttp2DataFrame(Unpooled.wrappedBuffer(bytes), end));
    }

    private static void send(Running running, Http2StreamChannel stream, InputStream content) throws IOException {
        byte[] chunk = content.readNBytes(16 << 10);
        write(stream, chunk, chunk.length == 0).addListener(written -> {
            if (written.isSuccess() && chunk.length > 0) {
                send(running, stream, content);
            }
        });
    }

    @Override
    public void ping() throws Exception {
        long number = lastPing.incrementAndGet();
        CompletableFuture<Void> acknowledged = new CompletableFuture<>();
        pings.put(number, acknowledged);
        connection.writeAndFlush(new DefaultHttp2PingFrame(number));
        Waiting.on(acknowledged);
    }

    @Override
    public long connections() {
        return 1;
    }

    @Override
    public boolean creditByByte() {
        return true;
    }

    @Override
    public void close() throws InterruptedException {
        connection.close().sync();
        group.shutdownGracefully();
    }

    /** Handles events of the connection. */
    private final class OfConnection extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (message instanceof Http2PingFrame ping && ping.ack()) {
                CompletableFuture<Void> acknowledged = pings.remove(ping.content());
                if (acknowledged != null) {
                    acknowledged.complete(null);
                }
            } else if (message instanceof Http2GoAwayFrame goAway) {
                System.err.println("GOAWAY " + goAway.errorCode() + " \""
                        + goAway.content().toString(java.nio.charset.StandardCharsets.UTF_8) + "\", last stream "
                        + goAway.lastStreamId());
            }
            ReferenceCountUtil.release(message);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable error) {
            System.err.println("the connection fails: " + error);
        }
    }

    private static final class Running implements Exchange {
        private final CompletableFuture<Http2StreamChannel> stream = new CompletableFuture<>();
        private final Incoming incoming = new Incoming((bytes, wholeChunk) -> give(bytes));

        private void give(int bytes) {
            Http2StreamChannel to = stream.join();
            if (bytes > 0 && to.isActive()) {
                to.writeAndFlush(new DefaultHttp2WindowUpdateFrame(bytes).stream(to.stream()));
            }
        }

        private void fail(Throwable error) {
            stream.completeExceptionally(error);
            incoming.fail(error);
        }

        private void check(Future<? super Void> written) {
            if (!written.isSuccess()) {
                incoming.fail(written.cause());
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
            Waiting.on(Netty.write(Waiting.on(stream), bytes, false));
        }

        @Override
        public void end() throws Exception {
            Waiting.on(Netty.write(Waiting.on(stream), new byte[0], true));
        }

        @Override
        public void cancel() {
            stream.thenAccept(it -> it.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.CANCEL))
                    .addListener(written -> it.close()));
        }

        /** Handles events of a stream. */
        private final class Handler extends ChannelInboundHandlerAdapter {
            @Override
            public void channelRead(ChannelHandlerContext context, Object message) {
                boolean end = false;
                if (message instanceof Http2HeadersFrame head) {
                    if (head.headers().status() != null) {
                        incoming.head(Integer.parseInt(head.headers().status().toString()));
                    }
                    end = head.isEndStream();
                } else if (message instanceof Http2DataFrame data) {
                    ByteBuf content = data.content();
                    byte[] bytes = new byte[content.readableBytes()];
                    content.readBytes(bytes);
                    incoming.data(bytes);
                    end = data.isEndStream();
                } else if (message instanceof Http2ResetFrame reset) {
                    incoming.fail(new IOException("RST_STREAM with code " + reset.errorCode()));
                }
                if (end) {
                    incoming.end();
                }
                ReferenceCountUtil.release(message);
            }

            @Override
            public void userEventTriggered(ChannelHandlerContext context, Object event) {
                if (event instanceof Http2ResetFrame reset) {
                    incoming.fail(new IOException("RST_STREAM with code " + reset.errorCode()));
                }
            }

            @Override
            public void channelInactive(ChannelHandlerContext context) {
                incoming.fail(new IOException("the stream is closed"));
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext context, Throwable error) {
                incoming.fail(error);
            }
        }
    }
}
