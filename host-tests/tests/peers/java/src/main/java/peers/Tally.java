package peers;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Repeats the steps of a case, counts their results, and keeps the first failures. */
public final class Tally {
    private static final int FAILURES = 10;

    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private final List<String> failures = new ArrayList<>();
    private final long deadline;
    private final long cutoff;
    private volatile long progress = System.nanoTime();
    private volatile boolean wasCut;

    /** A part of a case. */
    public interface Step {
        /** Throws an exception on failure. */
        void run() throws Exception;
    }

    Tally(int seconds) {
        deadline = System.nanoTime() + seconds * 1_000_000_000L;
        cutoff = deadline + (seconds + 30) * 1_000_000_000L;
    }

    /** Content has arrived. */
    public void progressed() {
        progress = System.nanoTime();
    }

    /** The seconds since content arrived or a request succeeded. */
    long secondsSinceProgress() {
        return (System.nanoTime() - progress) / 1_000_000_000L;
    }

    /**
     * Whether to cut a transfer short: a large one through tiny windows takes many minutes on a busy machine.
     *
     * <p>Failures after that are not recorded: some clients end the connection with a cancelled request.
     */
    public boolean cut() {
        wasCut |= System.nanoTime() > cutoff;
        return wasCut;
    }

    /** Whether the case has time left and few enough failures. */
    public synchronized boolean goOn() {
        return System.nanoTime() < deadline && failures.size() < FAILURES;
    }

    /** Runs a step in this many threads, in each at least once, until the time is over. */
    public void repeat(int threadCount, Step step) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < threadCount; i++) {
            threads.add(start(() -> {
                do {
                    attempt("a request", step);
                } while (goOn());
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /** Runs a step, and records its failure. */
    public void attempt(String where, Step step) {
        try {
            step.run();
        } catch (Throwable error) {
            failure(where, error);
        }
    }

    /** Starts a thread that does not keep the program alive. */
    public static Thread start(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Counts a successful request. */
    public void request(long content) {
        requests.incrementAndGet();
        bytes.addAndGet(content);
        progressed();
    }

    /** Records a failure. */
    private synchronized void failure(String where, Throwable error) {
        if (wasCut || failures.size() >= FAILURES) {
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
