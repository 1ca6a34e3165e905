package peers;

import java.net.URI;

/** The server of a case, and the case itself, for libraries that need it to create a client. */
public record Target(String host, int port, String run, int concurrency) {
    static Target parse(String url, String run, int concurrency) {
        URI uri = URI.create(url);
        return new Target(uri.getHost(), uri.getPort(), run, concurrency);
    }

    /** The server's URL with this path. */
    public String url(String path) {
        return "http://" + authority() + path;
    }

    /** Host and port. */
    public String authority() {
        return host + ":" + port;
    }
}
