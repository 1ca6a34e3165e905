package peers.grpc;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.testing.integration.Messages.Payload;
import io.grpc.testing.integration.Messages.SimpleRequest;
import io.grpc.testing.integration.Messages.SimpleResponse;
import io.grpc.testing.integration.TestServiceGrpc;
import peers.Tally;

/** The cases of gRPC, against the public test service. */
public final class GrpcCases {
    /** The cases of a channel without compression. */
    public static final String NAMES =
            "grpc-interop grpc-unary grpc-tiny grpc-big grpc-stream grpc-cancel-beside grpc-idle";

    private static final long PAUSE_BETWEEN_CANCELS = 1000 / 280;

    private final Supplier<ManagedChannelBuilder<?>> channels;
    private final Tally tally;
    private final int seconds;
    private final int concurrency;

    public GrpcCases(Supplier<ManagedChannelBuilder<?>> channels, Tally tally, int seconds, int concurrency) {
        this.channels = channels;
        this.tally = tally;
        this.seconds = seconds;
        this.concurrency = concurrency;
    }

    /** Runs a case; failures are in the tally. */
    public void run(String name) throws InterruptedException {
        if (name.equals("grpc-interop")) {
            interop(this::plain);
            return;
        } else if (name.equals("grpc-gzip")) {
            interop(this::compressed);
            return;
        }
        ManagedChannel channel = channels.get().build();
        tally.attempt(name, () -> choose(name, TestServiceGrpc.newStub(channel)));
        channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }

    private void choose(String name, TestServiceGrpc.TestServiceStub stub) throws Exception {
        switch (name) {
            case "grpc-unary" -> tally.repeat(concurrency, () -> unary(stub));
            case "grpc-tiny" -> tally.repeat(concurrency, () -> duplex(stub, 100, 100));
            case "grpc-big" -> tally.repeat(2, () -> duplex(stub, 1 << 20, 8));
            case "grpc-stream" -> tally.repeat(1, () -> stream(stub, seconds < 10 ? 16_000 : 150_000));
            case "grpc-cancel-beside" -> cancelBeside(stub);
            case "grpc-idle" -> idle(stub);
            default -> throw new IllegalArgumentException("no such case: " + name);
        }
    }

    private void unary(TestServiceGrpc.TestServiceStub stub) {
        byte[] content = new byte[1000];
        SimpleRequest request = SimpleRequest.newBuilder().setResponseSize(100)
                .setPayload(Payload.newBuilder().setBody(ByteString.copyFrom(content))).build();
        SimpleResponse response = TestServiceGrpc.newBlockingStub(stub.getChannel()).unaryCall(request);
        if (response.getPayload().getBody().size() != 100) {
            throw new IllegalStateException("the response has " + response.getPayload().getBody().size() + " bytes");
        }
        tally.request(1100);
    }

    private static Duplex begin(TestServiceGrpc.TestServiceStub stub) {
        Duplex duplex = new Duplex();
        stub.fullDuplexCall(duplex);
        return duplex;
    }

    /** Messages of that size in both directions, first one by one, then all at once. */
    private void duplex(TestServiceGrpc.TestServiceStub stub, int size, int count) throws Exception {
        Duplex duplex = begin(stub);
        for (int i = 0; i < count; i++) {
            duplex.send(Duplex.message(size));
            duplex.expect(size);
        }
        for (int i = 0; i < count; i++) {
            duplex.send(Duplex.message(size));
        }
        duplex.end();
        for (int i = 0; i < count; i++) {
            duplex.expect(size);
        }
        duplex.expectEnd();
        tally.request(4L * size * count);
    }

    /** A response of many small messages. */
    private void stream(TestServiceGrpc.TestServiceStub stub, int count) throws Exception {
        Duplex duplex = new Duplex();
        stub.streamingOutputCall(Duplex.ask(count, 1000), duplex);
        for (int i = 0; i < count; i++) {
            duplex.expect(1000);
        }
        duplex.expectEnd();
        tally.request(1000L * count);
    }

    /** One long call, while others are cancelled after their first message. */
    private void cancelBeside(TestServiceGrpc.TestServiceStub stub) throws Exception {
        Duplex beside = begin(stub);
        AtomicBoolean over = new AtomicBoolean();
        Thread talk = Tally.start(() -> tally.attempt("the long call", () -> {
            while (!over.get()) {
                beside.send(Duplex.message(100));
                beside.expect(100);
                Thread.sleep(10);
            }
            beside.end();
            beside.expectEnd();
        }));
        do {
            tally.attempt("a call that is to be cancelled", () -> {
                Duplex other = begin(stub);
                other.send(Duplex.message(1000));
                other.expect(1000);
                other.cancel();
                tally.request(2000);
                Thread.sleep(PAUSE_BETWEEN_CANCELS);
            });
        } while (tally.goOn());
        over.set(true);
        talk.join();
    }

    /** A call without messages and then a connection without calls, each for half of the time. */
    private void idle(TestServiceGrpc.TestServiceStub stub) throws Exception {
        Duplex duplex = begin(stub);
        duplex.send(Duplex.message(1));
        duplex.expect(1);
        Thread.sleep(seconds * 500L);
        duplex.send(Duplex.message(1));
        duplex.expect(1);
        duplex.end();
        duplex.expectEnd();
        Thread.sleep(seconds * 500L);
        unary(stub);
    }

    private interface Cases {
        Map<String, Tally.Step> of(Interop interop);
    }

    private void interop(Cases cases) {
        do {
            Interop interop = new Interop(channels);
            interop.setUp();
            cases.of(interop).forEach((name, step) -> tally.attempt(name, () -> {
                step.run();
                tally.request(0);
            }));
            interop.tearDown();
        } while (tally.goOn());
    }

    private Map<String, Tally.Step> plain(Interop interop) {
        Map<String, Tally.Step> steps = new LinkedHashMap<>();
        steps.put("empty_unary", interop::emptyUnary);
        steps.put("large_unary", interop::largeUnary);
        steps.put("client_streaming", interop::clientStreaming);
        steps.put("server_streaming", interop::serverStreaming);
        steps.put("ping_pong", interop::pingPong);
        steps.put("empty_stream", interop::emptyStream);
        steps.put("custom_metadata", interop::customMetadata);
        steps.put("status_code_and_message", interop::statusCodeAndMessage);
        steps.put("special_status_message", interop::specialStatusMessage);
        steps.put("unimplemented_method", interop::unimplementedMethod);
        steps.put("unimplemented_service", interop::unimplementedService);
        steps.put("cancel_after_begin", interop::cancelAfterBegin);
        steps.put("cancel_after_first_response", interop::cancelAfterFirstResponse);
        steps.put("timeout_on_sleeping_server", interop::timeoutOnSleepingServer);
        steps.put("very_large_request", interop::veryLargeRequest);
        steps.put("full duplex", interop::fullDuplexCallShouldSucceed);
        steps.put("flow control", interop::serverStreamingShouldBeFlowControlled);
        return steps;
    }

    private Map<String, Tally.Step> compressed(Interop interop) {
        Map<String, Tally.Step> steps = new LinkedHashMap<>();
        steps.put("client_compressed_unary", () -> interop.clientCompressedUnary(false));
        steps.put("server_compressed_unary", interop::serverCompressedUnary);
        steps.put("client_compressed_streaming", () -> interop.clientCompressedStreaming(false));
        steps.put("server_compressed_streaming", interop::serverCompressedStreaming);
        return steps;
    }
}
