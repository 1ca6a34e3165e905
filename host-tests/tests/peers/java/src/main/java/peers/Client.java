package peers;

/** A client of one library, in one configuration. */
public interface Client extends AutoCloseable {
    /** Begins a request, and returns without waiting for the server. */
    Exchange open(String method, String path, Body body) throws Exception;

    /** Sends a PING on each connection and waits for its acknowledgement, where the library can; else does nothing. */
    default void ping() throws Exception {}

    /** The number of connections that were opened, or -1 where the library does not tell. */
    default long connections() {
        return -1;
    }

    /** Whether credit for received content is given byte by byte, as it is read. */
    default boolean creditByByte() {
        return false;
    }

    /** How many requests may be open at once. */
    default int mostAtOnce() {
        return 1000;
    }

    /** Whether a response can be read while the request is written. */
    default boolean fullDuplex() {
        return true;
    }
}
