package peers.servers;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** The settings of a server outside its default configuration. Numbers are ignored if {@code custom} is false. */
public record Settings(boolean custom, int streams, int window, int maxFrame, boolean shutdowns) {
    /** Returns the settings for the name of a configuration. */
    public static Settings of(String config) {
        return switch (config) {
            case "default" -> new Settings(false, 0, 0, 0, false);
            case "awkward" -> new Settings(true, 10, 1024, (1 << 24) - 1, false);
            case "one-stream" -> new Settings(true, 1, 65_535, 1 << 14, false);
            case "shutdown" -> new Settings(false, 0, 0, 0, true);
            default -> throw new IllegalArgumentException("no such configuration: " + config);
        };
    }

    /** Repeats the shutdown, if connections are to be shut down. */
    void again(Runnable shutDown) {
        if (shutdowns) {
            ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(work -> {
                Thread thread = new Thread(work);
                thread.setDaemon(true);
                return thread;
            });
            timer.scheduleWithFixedDelay(shutDown, 200, 200, TimeUnit.MILLISECONDS);
        }
    }
}
