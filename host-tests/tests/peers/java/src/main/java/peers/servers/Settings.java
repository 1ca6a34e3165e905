package peers.servers;

/** What a server tells its clients, where it is not in its default configuration. */
public record Settings(boolean awkward, int streams, int window, int maxFrame) {
    /** What the library has as it comes. */
    public static final Settings DEFAULT = new Settings(false, 0, 0, 0);
    /** Small windows, large frames. */
    public static final Settings AWKWARD = new Settings(true, 10, 1024, (1 << 24) - 1);
    /** One stream at a time. */
    public static final Settings ONE_STREAM = new Settings(true, 1, 65_535, 1 << 14);
}
