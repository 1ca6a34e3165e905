package peers;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Counts what a case has done, and holds the first failures. */
public final class Tally {
    private static final int FAILURES = 10;

    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private final List<String> failures = new ArrayList<>();
    private final long deadline;

    Tally(int seconds) {
        deadline = System.nanoTime() + seconds * 1_000_000_000L;
    }

    /** Whether the case has time left and not failed too often. */
    public synchronized boolean goOn() {
        return System.nanoTime() < deadline && failures.size() < FAILURES;
    }

    /** A request ended as it should. */
    public void request(long content) {
        requests.incrementAndGet();
        bytes.addAndGet(content);
    }

    /** Something did not end as it should. */
    public synchronized void failure(String where, Throwable error) {
        if (failures.size() >= FAILURES) {
            return;
        }
        StringBuilder text = new StringBuilder(where);
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            text.append(": ").append(cause);
        }
        StackTraceElement[] trace = error.getStackTrace();
        for (int i = 0; i < Math.min(3, trace.length); i++) {
            text.append("\n    at ").append(trace[i]);
        }
        failures.add(text.toString());
    }

    synchronized List<String> failures() {
        return List.copyOf(failures);
    }

    String json(long connections) {
        String count = connections < 0 ? "null" : Long.toString(connections);
        return "{\"requests\":" + requests + ",\"bytes\":" + bytes + ",\"connections\":" + count + "}";
    }
}
