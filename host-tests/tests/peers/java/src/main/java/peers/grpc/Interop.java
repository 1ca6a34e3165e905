package peers.grpc;

import java.util.function.Supplier;

import io.grpc.ManagedChannelBuilder;
import io.grpc.testing.integration.AbstractInteropTest;

/** The public interoperability cases as implemented by grpc-java: its TestServiceClient calls the same methods. */
final class Interop extends AbstractInteropTest {
    private final Supplier<ManagedChannelBuilder<?>> channels;

    Interop(Supplier<ManagedChannelBuilder<?>> channels) {
        this.channels = channels;
    }

    @Override
    protected ManagedChannelBuilder<?> createChannelBuilder() {
        return channels.get();
    }

    @Override
    protected boolean metricsExpected() {
        return false;
    }
}
