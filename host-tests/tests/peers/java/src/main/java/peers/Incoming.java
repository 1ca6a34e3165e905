package peers;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Passes a response from the callbacks of a library to a blocking reader. */
public final class Incoming {
    /** Seconds that the reader waits for the next event. */
    public static final int PATIENCE = 240;

    /** Notified when the reader has taken content, so that the library may give the server credit. */
    public interface Credit {
        /** The reader took this many bytes, including the last one of a chunk or not. */
        void taken(int bytes, boolean wholeChunk);
    }

    private record Event(byte[] chunk, Throwable failure) {}

    private static final Event END = new Event(null, null);

    private final CompletableFuture<Integer> status = new CompletableFuture<>();
    private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Credit credit;
    private Event current;
    private int offset;

    /** Creates a response whose reader gives this credit. */
    public Incoming(Credit credit) {
        this.credit = credit;
    }

    /** The head has arrived. */
    public void head(int code) {
        status.complete(code);
    }

    /** Content has arrived. */
    public void data(byte[] chunk) {
        events.add(new Event(chunk, null));
    }

    /** The response is complete. */
    public void end() {
        events.add(END);
    }

    /** The response has failed. */
    public void fail(Throwable failure) {
        status.completeExceptionally(failure);
        events.add(new Event(null, failure));
    }

    /** See {@link Exchange#status}. */
    public int status() throws Exception {
        return Waiting.on(status);
    }

    /** See {@link Exchange#read}. */
    public int read(byte[] buffer) throws Exception {
        while (current == null || (current.chunk != null && current.chunk.length == 0)) {
            current = events.poll(PATIENCE, TimeUnit.SECONDS);
            if (current == null) {
                throw new TimeoutException("no content for " + PATIENCE + " s");
            }
            if (current.chunk != null && current.chunk.length == 0) {
                credit.taken(0, true);
            }
        }
        if (current.failure != null) {
            throw new IOException(current.failure);
        }
        if (current == END) {
            return -1;
        }
        byte[] chunk = current.chunk;
        int taken = Math.min(buffer.length, chunk.length - offset);
        System.arraycopy(chunk, offset, buffer, 0, taken);
        offset += taken;
        boolean whole = offset == chunk.length;
        if (whole) {
            current = null;
            offset = 0;
        }
        credit.taken(taken, whole);
        return taken;
    }
}
