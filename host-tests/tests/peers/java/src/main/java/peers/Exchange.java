package peers;

/** A request and its response. Every method except {@link #cancel} blocks until it is done. */
public interface Exchange {
    /** The status of the response. */
    int status() throws Exception;

    /** Reads available content of the response into the buffer, and returns its length; -1 at the end. */
    int read(byte[] buffer) throws Exception;

    /** Writes content of a request with {@link Body#DUPLEX}. */
    void write(byte[] bytes) throws Exception;

    /** Ends the content of a request with {@link Body#DUPLEX}. */
    void end() throws Exception;

    /** Cancels the exchange in any state. */
    void cancel();
}
