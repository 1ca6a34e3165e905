package peers.grpc;

import java.util.concurrent.TimeUnit;

import io.grpc.ManagedChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.okhttp.OkHttpChannelBuilder;
import peers.Target;

/** The transports of grpc-java. Awkward are small windows, and PINGs as often as it allows, even without calls. */
public enum Channels {
    /** The transport for servers. */
    NETTY {
        @Override
        public ManagedChannelBuilder<?> open(Target target, boolean awkward) {
            NettyChannelBuilder builder = NettyChannelBuilder.forAddress(target.host(), target.port());
            return settle(awkward ? builder.flowControlWindow(AWKWARD_WINDOW) : builder, awkward);
        }
    },
    /** The transport for Android. */
    OKHTTP {
        @Override
        public ManagedChannelBuilder<?> open(Target target, boolean awkward) {
            OkHttpChannelBuilder builder = OkHttpChannelBuilder.forAddress(target.host(), target.port());
            return settle(awkward ? builder.flowControlWindow(AWKWARD_WINDOW) : builder, awkward);
        }
    };

    private static final int AWKWARD_WINDOW = 1000;

    /** Creates the builder of a channel to the server. */
    public abstract ManagedChannelBuilder<?> open(Target target, boolean awkward);

    /** The name of the peer. */
    public String title() {
        return "grpc-java-" + name().toLowerCase(java.util.Locale.ROOT);
    }

    private static ManagedChannelBuilder<?> settle(ManagedChannelBuilder<?> builder, boolean awkward) {
        if (awkward) {
            // It accepts at least ten seconds.
            builder.keepAliveTime(10, TimeUnit.SECONDS).keepAliveWithoutCalls(true);
        }
        return builder.usePlaintext().maxInboundMessageSize(64 << 20);
    }
}
