package peers;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import peers.grpc.GrpcCases;

/** Runs a case of a client, or a server, as described in the suite's README. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        switch (arguments.length > 0 ? arguments[0] : "") {
            case "list" -> Registry.list();
            case "client" -> client(arguments);
            case "server" -> server(Registry.server(arguments[1], arguments[2]));
            default -> {
                System.err.println("usage: list | client NAME CONFIG CASE URL SECONDS CONCURRENCY | server NAME CONFIG");
                System.exit(2);
            }
        }
    }

    private static void client(String[] arguments) throws Exception {
        String name = arguments[1];
        String run = arguments[3];
        int seconds = Integer.parseInt(arguments[5]);
        int concurrency = Integer.parseInt(arguments[6]);
        Target target = Target.parse(arguments[4], run, concurrency);
        Tally tally = new Tally(seconds);
        long connections = -1;
        if (run.startsWith("grpc-")) {
            watch(tally);
            new GrpcCases(Registry.channel(name, arguments[2], target), tally, seconds, concurrency).run(run);
        } else {
            try (Client client = Registry.client(name, arguments[2], target)) {
                watch(tally);
                new Cases(client, tally, seconds, concurrency).run(run);
                connections = client.connections();
            }
        }
        System.out.println(tally.json(connections));
        exit(tally);
    }

    private static void server(Server server) throws Exception {
        System.out.println("PORT " + server.port());
        System.out.flush();
        while (System.in.read() >= 0) {
            // Serve until standard input ends.
        }
        server.close();
        System.exit(0);
    }

    private static void exit(Tally tally) {
        List<String> failures = tally.failures();
        failures.forEach(System.err::println);
        System.exit(failures.isEmpty() ? 0 : 1);
    }

    /** Ends the program if a case makes no progress, and prints where. */
    private static void watch(Tally tally) {
        Thread thread = new Thread(() -> {
            try {
                while (tally.secondsSinceProgress() < Incoming.PATIENCE + 30) {
                    Thread.sleep(1000);
                }
            } catch (InterruptedException error) {
                return;
            }
            tally.failures().forEach(System.err::println);
            System.err.println("the case hangs:");
            Map<String, Integer> stacks = new TreeMap<>();
            Thread.getAllStackTraces().forEach((at, stack) -> {
                StringBuilder text = new StringBuilder();
                for (StackTraceElement frame : stack) {
                    if (frame.getClassName().startsWith("peers.")) {
                        text.append("    at ").append(frame).append('\n');
                    }
                }
                if (!text.isEmpty()) {
                    stacks.merge(text.toString(), 1, Integer::sum);
                }
            });
            stacks.forEach((stack, count) -> System.err.println(count + " threads\n" + stack));
            Runtime.getRuntime().halt(1);
        });
        thread.setDaemon(true);
        thread.start();
    }
}
