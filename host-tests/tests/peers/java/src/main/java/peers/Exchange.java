package peers;

/** A request and its response. Every method but {@link #cancel} waits until it can do its work. */
public interface Exchange {
    /** The status of the response. */
    int status() throws Exception;

    /** Reads content of the response, as many bytes as there are, at most those of the buffer; -1 at the end. */
    int read(byte[] buffer) throws Exception;

    /** Writes content of a request with {@link Body#DUPLEX}. */
    void write(byte[] bytes) throws Exception;

    /** Ends the content of a request with {@link Body#DUPLEX}. */
    void end() throws Exception;

    /** Gives the exchange up, whatever its state. */
    void cancel();
}
