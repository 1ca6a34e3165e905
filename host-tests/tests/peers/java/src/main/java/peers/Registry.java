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

/** The peers: each has its entry here, and nowhere else. */
final class Registry {
    private static final String ALL =
            "get post download download-slow download-steps upload cancel cancel-beside refuse early echo-tiny echo-big soak";
    private static final String SERVED = "get post download upload cancel refuse early";

    private interface NewClient {
        Client open(Target target, boolean awkward) throws Exception;
    }

    private interface NewServer {
        Server listen(Settings settings) throws Exception;
    }

    private record ClientEntry(String name, String cases, NewClient open) {}

    private record ServerEntry(String name, String cases, NewServer listen) {}

    private static final List<ClientEntry> CLIENTS = List.of(
            new ClientEntry("okhttp", ALL + " ping", OkHttp::new),
            new ClientEntry("jetty", ALL + " ping", Jetty::new),
            new ClientEntry("apache-hc", ALL, Apache::new),
            new ClientEntry("jdk", ALL.replace(" echo-tiny echo-big", ""), Jdk::new),
            new ClientEntry("netty", ALL + " ping", Netty::new),
            new ClientEntry("vertx", ALL + " ping", Vertx::new));

    private static final List<ServerEntry> SERVERS = List.of(
            new ServerEntry("jetty", SERVED, peers.servers.Jetty::new),
            new ServerEntry("tomcat", SERVED, Tomcat::new), new ServerEntry("undertow", SERVED, Undertow::new),
            new ServerEntry("vertx", SERVED, peers.servers.Vertx::new));

    private static final List<Channels> CHANNELS = List.of(Channels.NETTY, Channels.OKHTTP);

    private Registry() {}

    static void list() {
        for (ClientEntry entry : CLIENTS) {
            for (String config : List.of("default", "awkward")) {
                System.out.println("client " + entry.name + " " + config + " " + entry.cases);
            }
        }
        for (Channels channels : CHANNELS) {
            for (String config : List.of("default", "awkward")) {
                System.out.println("client " + channels.title() + " " + config + " " + GrpcCases.NAMES);
            }
            System.out.println("client " + channels.title() + " gzip grpc-gzip");
        }
        for (ServerEntry entry : SERVERS) {
            System.out.println("server " + entry.name + " default " + entry.cases);
            System.out.println("server " + entry.name + " awkward " + entry.cases);
            System.out.println("server " + entry.name + " one-stream one-stream");
            System.out.println("server " + entry.name + " shutdown shutdown");
        }
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
        Settings settings = Settings.of(config);
        for (ServerEntry entry : SERVERS) {
            if (entry.name.equals(name)) {
                return entry.listen.listen(settings);
            }
        }
        throw new IllegalArgumentException("no such server: " + name);
    }
}
