package peers;

/** A client of one library, in one configuration. */
public interface Client extends AutoCloseable {
    /** Begins a request, and returns without waiting for the server. */
    Exchange open(String method, String path, Body body) throws Exception;

    /** Sends a PING on each connection and waits for its acknowledgement; does nothing if the library cannot. */
    default void ping() throws Exception {}

    /** The number of connections opened, or -1 if the library does not report it. */
    default long connections() {
        return -1;
    }

    /** Whether credit for received content is given byte by byte, as it is read. */
    default boolean creditByByte() {
        return false;
    }

    /** How long a reader may pause, in milliseconds, before the library itself gives up an idle connection. */
    default long longestPause() {
        return 75_000;
    }

    /** The most requests that may be open at once. */
    default int mostAtOnce() {
        return 1000;
    }

    /** Whether a response can be read while the request is still being written. */
    default boolean fullDuplex() {
        return true;
    }
}
