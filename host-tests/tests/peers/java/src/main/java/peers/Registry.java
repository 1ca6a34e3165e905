package peers;

import java.util.List;
import java.util.function.Supplier;

import io.grpc.ManagedChannelBuilder;
import peers.clients.Apache;
import peers.clients.Jdk;
import peers.clients.Jetty;
import peers.clients.Netty;
import peers.clients.OkHttp;
import peers.clients.Vertx;
import peers.grpc.Channels;
import peers.grpc.GrpcCases;
import peers.servers.Settings;
import peers.servers.Tomcat;
import peers.servers.Undertow;

/** The registry of peers: each has one entry, here. */
final class Registry {
    private static final String ALL = "get post download download-slow download-steps upload cancel cancel-beside "
            + "refuse early echo-tiny echo-big soak";
    private static final String PINGS = ALL + " ping";
    private static final String SERVED = "get post download upload cancel refuse early";
    private static final List<String> SIMPLE = List.of("default", "awkward");
    private static final List<String> SERVER = List.of("default", "awkward", "one-stream");
    private static final List<String> SERVER_THAT_SHUTS_DOWN = List.of("default", "awkward", "one-stream", "shutdown");

    /** A client, whose cases are the same in each configuration. */
    private record ClientEntry(String name, String cases, NewClient open, Omission... omissions) {}

    private record ServerEntry(String name, List<String> configs, NewServer listen, Omission... omissions) {}

    /** Cases that the peer fails through its own fault, in every configuration or, as `case@config`, in one. */
    private record Omission(String reason, String... cases) {}

    private interface NewClient {
        Client open(Target target, boolean awkward) throws Exception;
    }

    private interface NewServer {
        Server listen(Settings settings) throws Exception;
    }

    private static final List<ClientEntry> CLIENTS = List.of(
            new ClientEntry("okhttp", PINGS, OkHttp::new),
            new ClientEntry("jetty", PINGS, Jetty::new),
            new ClientEntry("apache-hc", ALL, Apache::new,
                    new Omission("after 100 cancels at once it hangs or closes, whoever the server is", "cancel"),
                    new Omission("sends no RST_STREAM for a request cancelled before its response, so that its slot stays taken",
                            "cancel-beside")),
            new ClientEntry("jdk", ALL, Jdk::new,
                    new Omission("it sends all content before it gives the response", "echo-tiny", "echo-big"),
                    new Omission("loses the bytes of its connection window that belong to cancelled responses; so with Go",
                            "cancel@awkward")),
            new ClientEntry("netty", PINGS, Netty::new,
                    new Omission("gets no stream after 1000 cancels at once with tiny windows; so with Go", "cancel@awkward")),
            new ClientEntry("vertx", PINGS, Vertx::new,
                    new Omission("leaves an upload unfinished whose response is complete, and closes at 200 RST_STREAM in 30 s",
                            "refuse", "early"),
                    new Omission("closes at 200 RST_STREAM in 30 s, its own included; so with Go", "cancel"),
                    new Omission("loses the answers to some of its PINGs beside a load; so with Go", "ping")));

    private static final List<ServerEntry> SERVERS = List.of(
            new ServerEntry("jetty", SERVER_THAT_SHUTS_DOWN, peers.servers.Jetty::new,
                    new Omission("ends the connection after 10 early responses (invalid_data_frame_rate); shown with undertow",
                            "refuse", "early"),
                    new Omission("holds its window of 1 KiB against content sent before its SETTINGS can be known",
                            "upload@awkward")),
            new ServerEntry("tomcat", SERVER_THAT_SHUTS_DOWN, Tomcat::new,
                    new Omission("ends the connection after 10 early responses (Too much overhead); shown with undertow",
                            "refuse", "early"),
                    new Omission("counts the small frames that its window asks for, and resets (Too much overhead)",
                            "upload@awkward", "cancel")),
            new ServerEntry("undertow", SERVER, Undertow::new),
            new ServerEntry("vertx", SERVER_THAT_SHUTS_DOWN, peers.servers.Vertx::new,
                    new Omission("gives too little back for content sent before its SETTINGS can be known; nghttp hangs as well",
                            "upload@awkward", "early@awkward"),
                    new Omission("closes at 200 RST_STREAM in 30 s (http2RstFloodMaxRstFramePerWindow); shown with jetty",
                            "cancel")));

    private static final List<Channels> CHANNELS = List.of(Channels.values());

    private Registry() {}

    static void list() {
        for (ClientEntry entry : CLIENTS) {
            for (String config : SIMPLE) {
                list("client", entry.name, config, entry.cases, entry.omissions);
            }
        }
        for (Channels channels : CHANNELS) {
            for (String config : SIMPLE) {
                list("client", channels.title(), config, GrpcCases.NAMES);
            }
            list("client", channels.title(), "gzip", "grpc-gzip");
        }
        for (ServerEntry entry : SERVERS) {
            for (String config : entry.configs) {
                // The last two are named after their case.
                list("server", entry.name, config, SIMPLE.contains(config) ? SERVED : config, entry.omissions);
            }
        }
    }

    private static void list(String role, String name, String config, String cases, Omission... omissions) {
        StringBuilder left = new StringBuilder();
        StringBuilder omitted = new StringBuilder();
        for (String run : cases.split(" ")) {
            String reason = reason(run, config, omissions);
            if (reason == null) {
                left.append(' ').append(run);
            } else {
                omitted.append(String.join(" ", "\nomit", role, name, config, run, reason));
            }
        }
        System.out.println(role + " " + name + " " + config + left + omitted);
    }

    private static String reason(String run, String config, Omission... omissions) {
        for (Omission omission : omissions) {
            List<String> cases = List.of(omission.cases);
            if (cases.contains(run) || cases.contains(run + "@" + config)) {
                return omission.reason;
            }
        }
        return null;
    }

    static Client client(String name, String config, Target target) throws Exception {
        for (ClientEntry entry : CLIENTS) {
            if (entry.name.equals(name)) {
                return entry.open.open(target, config.equals("awkward"));
            }
        }
        throw new IllegalArgumentException("no such client: " + name);
    }

    static Supplier<ManagedChannelBuilder<?>> channel(String name, String config, Target target) {
        for (Channels channels : CHANNELS) {
            if (channels.title().equals(name)) {
                return () -> channels.open(target, config.equals("awkward"));
            }
        }
        throw new IllegalArgumentException("no such client: " + name);
    }

    static Server server(String name, String config) throws Exception {
        for (ServerEntry entry : SERVERS) {
            if (entry.name.equals(name)) {
                return entry.listen.listen(Settings.of(config));
            }
        }
        throw new IllegalArgumentException("no such server: " + name);
    }
}
