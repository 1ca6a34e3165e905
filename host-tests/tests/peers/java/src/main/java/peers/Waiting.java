package peers;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Waits for asynchronous results of a library. */
public final class Waiting {
    private Waiting() {}

    /** Waits for a future, and rethrows its exception. */
    public static <T> T on(Future<T> future) throws Exception {
        try {
            return future.get(Incoming.PATIENCE, TimeUnit.SECONDS);
        } catch (ExecutionException error) {
            throw error.getCause() instanceof Exception cause ? cause : error;
        }
    }

    /** Waits for a stage. */
    public static <T> T stage(CompletionStage<T> stage) throws Exception {
        return on(stage.toCompletableFuture());
    }
}
