package peers.grpc;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import com.google.protobuf.ByteString;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.testing.integration.Messages.Payload;
import io.grpc.testing.integration.Messages.ResponseParameters;
import io.grpc.testing.integration.Messages.StreamingOutputCallRequest;
import io.grpc.testing.integration.Messages.StreamingOutputCallResponse;
import peers.Incoming;

/** A call that requests messages one by one, as a blocking reader takes them. */
final class Duplex implements ClientResponseObserver<StreamingOutputCallRequest, StreamingOutputCallResponse> {
    private static final Object END = new Object();

    private final LinkedBlockingQueue<Object> events = new LinkedBlockingQueue<>();
    private ClientCallStreamObserver<StreamingOutputCallRequest> call;

    /** A message that requests one of the same size in return. */
    static StreamingOutputCallRequest message(int size) {
        return ask(1, size).toBuilder().setPayload(Payload.newBuilder().setBody(ByteString.copyFrom(new byte[size])))
                .build();
    }

    /** A message that requests this many messages of this size. */
    static StreamingOutputCallRequest ask(int count, int size) {
        StreamingOutputCallRequest.Builder request = StreamingOutputCallRequest.newBuilder();
        for (int i = 0; i < count; i++) {
            request.addResponseParameters(ResponseParameters.newBuilder().setSize(size));
        }
        return request.build();
    }

    void send(StreamingOutputCallRequest message) {
        call.onNext(message);
    }

    void end() {
        call.onCompleted();
    }

    void cancel() {
        call.cancel("cancelled by the case", null);
    }

    /** Takes the next message, and checks its size. */
    void expect(int size) throws Exception {
        call.request(1);
        Object event = next();
        if (!(event instanceof StreamingOutputCallResponse message)) {
            throw new IllegalStateException("the call has ended before its time");
        }
        if (message.getPayload().getBody().size() != size) {
            throw new IllegalStateException(message.getPayload().getBody().size() + " bytes in place of " + size);
        }
    }

    void expectEnd() throws Exception {
        call.request(1);
        if (next() != END) {
            throw new IllegalStateException("there are more messages than there should be");
        }
    }

    private Object next() throws Exception {
        Object event = events.poll(Incoming.PATIENCE, TimeUnit.SECONDS);
        if (event == null) {
            throw new TimeoutException("no message for " + Incoming.PATIENCE + " s");
        }
        if (event instanceof Exception error) {
            throw error;
        }
        return event;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<StreamingOutputCallRequest> begun) {
        call = begun;
        call.disableAutoRequestWithInitial(0);
    }

    @Override
    public void onNext(StreamingOutputCallResponse message) {
        events.add(message);
    }

    @Override
    public void onError(Throwable error) {
        events.add(error);
    }

    @Override
    public void onCompleted() {
        events.add(END);
    }
}
