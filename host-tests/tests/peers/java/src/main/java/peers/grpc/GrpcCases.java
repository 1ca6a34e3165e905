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

    /** Runs a case; the tally records failures. */
    public void run(String name) throws InterruptedException {
        if (name.equals("grpc-interop")) {
            interop(plain());
            return;
        } else if (name.equals("grpc-gzip")) {
            interop(compressed());
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

    /** Exchanges messages of this size in both directions, first one by one, then all at once. */
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

    /** Reads a response of many small messages. */
    private void stream(TestServiceGrpc.TestServiceStub stub, int count) throws Exception {
        Duplex duplex = new Duplex();
        stub.streamingOutputCall(Duplex.ask(count, 1000), duplex);
        for (int i = 0; i < count; i++) {
            if (tally.cut()) {
                duplex.cancel();
                tally.request(1000L * i);
                return;
            }
            duplex.expect(1000);
            tally.progressed();
        }
        duplex.expectEnd();
        tally.request(1000L * count);
    }

    /** Keeps one long call open, while others are cancelled after their first message. */
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

    /** Keeps a call without messages, and then a connection without calls, each for half of the time. */
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

    /** Runs each of the cases on a separate channel, as the public client does. */
    private void interop(Map<String, InteropCase> cases) {
        do {
            cases.forEach((name, run) -> tally.attempt(name, () -> {
                Interop interop = new Interop(channels);
                interop.setUp();
                try {
                    run.on(interop);
                    tally.request(0);
                } finally {
                    interop.tearDown();
                }
            }));
        } while (tally.goOn());
    }

    private interface InteropCase {
        void on(Interop interop) throws Exception;
    }

    private static Map<String, InteropCase> plain() {
        Map<String, InteropCase> cases = new LinkedHashMap<>();
        cases.put("empty_unary", Interop::emptyUnary);
        cases.put("large_unary", Interop::largeUnary);
        cases.put("client_streaming", Interop::clientStreaming);
        cases.put("server_streaming", Interop::serverStreaming);
        cases.put("ping_pong", Interop::pingPong);
        cases.put("empty_stream", Interop::emptyStream);
        cases.put("custom_metadata", Interop::customMetadata);
        cases.put("status_code_and_message", Interop::statusCodeAndMessage);
        cases.put("special_status_message", Interop::specialStatusMessage);
        cases.put("unimplemented_method", Interop::unimplementedMethod);
        cases.put("unimplemented_service", Interop::unimplementedService);
        cases.put("cancel_after_begin", Interop::cancelAfterBegin);
        cases.put("cancel_after_first_response", Interop::cancelAfterFirstResponse);
        cases.put("timeout_on_sleeping_server", Interop::timeoutOnSleepingServer);
        cases.put("very_large_request", Interop::veryLargeRequest);
        cases.put("flow control", Interop::serverStreamingShouldBeFlowControlled);
        return cases;
    }

    private static Map<String, InteropCase> compressed() {
        Map<String, InteropCase> cases = new LinkedHashMap<>();
        cases.put("client_compressed_unary", interop -> interop.clientCompressedUnary(false));
        cases.put("server_compressed_unary", Interop::serverCompressedUnary);
        cases.put("client_compressed_streaming", interop -> interop.clientCompressedStreaming(false));
        cases.put("server_compressed_streaming", Interop::serverCompressedStreaming);
        return cases;
    }
}
