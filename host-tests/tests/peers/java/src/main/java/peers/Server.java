package peers;

/** A server of one library, in one configuration, which listens. */
public interface Server extends AutoCloseable {
    /** The port. */
    int port();

    /** Shuts the server down: it accepts no more, ends what runs, and then closes. */
    @Override
    void close() throws Exception;
}
