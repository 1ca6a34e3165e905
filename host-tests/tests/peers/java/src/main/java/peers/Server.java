package peers;

/** A listening server of one library, in one configuration. */
public interface Server extends AutoCloseable {
    /** The port. */
    int port();

    /** Shuts the server down: it accepts no more requests, completes those in progress, and then closes. */
    @Override
    void close() throws Exception;
}
