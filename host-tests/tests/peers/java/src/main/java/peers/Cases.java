package peers;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/** The cases of the suite, for any client. */
final class Cases {
    private static final int MB = 1_000_000;
    /** Sizes of reads, in order of importance. */
    private static final int[] STEPS = {1024, 512, 2048, 4096, 32 << 10};
    /** The content length of a request that is refused or answered early. */
    private static final int POSTED = MB;
    private static final int EARLY = 10_000;
    /** The number of bytes after which a slow reader pauses. */
    private static final int PACE = 16 << 10;
    private static final int[] CANCELLED_AT_ONCE = {100, 1000};
    private static final long PAUSE_BETWEEN_CANCELS = 1000 / 300;

    private final Client client;
    private final Tally tally;
    private final int seconds;
    private final int concurrency;
    /** The number of concurrent requests where each is large. */
    private final int large;

    Cases(Client client, Tally tally, int seconds, int concurrency) {
        this.client = client;
        this.tally = tally;
        this.seconds = seconds;
        this.concurrency = concurrency;
        large = Math.max(1, concurrency / 5);
    }

    void run(String name) {
        tally.attempt("the case", () -> choose(name));
    }

    private void choose(String name) throws Exception {
        switch (name) {
            case "get" -> tally.repeat(concurrency, this::get);
            case "post" -> tally.repeat(concurrency, this::post);
            case "download" -> tally.repeat(large, () -> download(downloaded(), 64 << 10, 0));
            case "download-slow" -> tally.repeat(concurrency, this::downloadSlow);
            case "download-steps" -> downloadSteps();
            case "upload" -> tally.repeat(large, () -> upload(seconds < 10 ? 16 * MB : 100 * MB));
            case "cancel" -> cancel();
            case "cancel-beside" -> cancelBeside();
            case "refuse" -> refuse();
            case "early" -> tally.repeat(concurrency, () -> answered("/early", Body.once(POSTED), 200, EARLY));
            case "echo-tiny" -> tally.repeat(concurrency, () -> echo(100));
            case "echo-big" -> tally.repeat(large, () -> echo(1 << 20));
            case "ping" -> ping();
            case "soak" -> soak();
            default -> throw new IllegalArgumentException("no such case: " + name);
        }
    }

    private int downloaded() {
        return seconds < 10 ? 16 * MB : 200 * MB;
    }

    private void get() throws Exception {
        Exchange exchange = client.open("GET", "/", Body.NONE);
        expect(200, exchange.status());
        byte[] text = readAll(exchange);
        if (text.length == 0) {
            throw new IOException("the content is empty");
        }
        tally.request(text.length);
    }

    private void post() throws Exception {
        Body body = Body.replayable(5);
        Exchange exchange = client.open("POST", "/echo", body);
        expect(200, exchange.status());
        byte[] echoed = readAll(exchange);
        if (!Arrays.equals(body.bytes(), echoed)) {
            throw new IOException("the echo differs: " + echoed.length + " bytes");
        }
        tally.request(echoed.length);
    }

    /** Reads this many bytes in reads of this size. */
    private void download(long size, int step, long pauseMillis) throws Exception {
        Exchange exchange = client.open("GET", "/bytes/" + size, Body.NONE);
        expect(200, exchange.status());
        tally.request(expectBytes(exchange, size, step, pauseMillis));
    }

    /** Reads with one long pause, and short ones throughout. */
    private void downloadSlow() throws Exception {
        int size = seconds < 10 ? 4 * MB : 40 * MB;
        Exchange exchange = client.open("GET", "/bytes/" + size, Body.NONE);
        expect(200, exchange.status());
        expectBytes(exchange, size / 4, PACE, 5, false);
        Thread.sleep(Math.min(client.longestPause(), seconds * 1000L));
        tally.request(size / 4 + expectBytes(exchange, size - size / 4, PACE, 5, true));
    }

    private void downloadSteps() throws Exception {
        AtomicInteger next = new AtomicInteger();
        int size = seconds < 10 ? 4 * MB : 100 * MB;
        tally.repeat(large, () -> {
            int step = STEPS[next.getAndIncrement() % STEPS.length];
            try {
                download(size, step, 0);
                if (client.creditByByte()) {
                    download(size / 1000, 1, 0);
                }
            } catch (Exception error) {
                throw new IOException("in steps of " + step + " bytes", error);
            }
        });
    }

    private void upload(long size) throws Exception {
        if (counted("/upload", Body.replayable(1)).equals("1")) {
            expectCount(size, counted("/upload", Body.once(size)));
        } else {
            expectCount(size, counted("/", Body.once(size)));
        }
        tally.request(size);
    }

    private String counted(String path, Body body) throws Exception {
        Exchange exchange = client.open("POST", path, body);
        exchange.status();
        return new String(readAll(exchange), StandardCharsets.UTF_8).split("\\s")[0];
    }

    private static void expectCount(long size, String count) throws IOException {
        if (!Long.toString(size).equals(count)) {
            throw new IOException("the server has received \"" + count + "\" of " + size + " bytes");
        }
    }

    private void answered(String path, Body body, int status, int size) throws Exception {
        Exchange exchange = client.open("POST", path, body);
        expect(status, exchange.status());
        if (size >= 0) {
            expectBytes(exchange, size, 64 << 10, 0);
        } else {
            readAll(exchange);
        }
        tally.request(body.size());
    }

    private void refuse() throws Exception {
        AtomicInteger turn = new AtomicInteger();
        tally.repeat(concurrency, () -> {
            boolean replayable = turn.getAndIncrement() % 2 == 0;
            answered("/refuse", replayable ? Body.replayable(POSTED) : Body.once(POSTED), 401, -1);
        });
    }

    private void cancel() throws Exception {
        int turn = 0;
        do {
            int count = Math.min(CANCELLED_AT_ONCE[turn % CANCELLED_AT_ONCE.length], client.mostAtOnce());
            List<Exchange> exchanges = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                exchanges.add(client.open("GET", i % 2 == 0 ? "/delay/20000" : "/endless", Body.NONE));
            }
            // Sometimes cancel immediately, otherwise after some responses have begun.
            if (turn % 4 >= 2) {
                expect(200, exchanges.get(1).status());
            }
            exchanges.forEach(Exchange::cancel);
            tally.attempt("GET after " + count + " cancels", this::get);
            turn++;
        } while (tally.goOn() || turn < 2);
    }

    private void cancelBeside() throws Exception {
        Exchange beside = client.open("GET", "/endless", Body.NONE);
        expect(200, beside.status());
        AtomicInteger done = new AtomicInteger();
        Thread reader = Tally.start(() -> tally.attempt("the long stream", () -> {
            byte[] buffer = new byte[16 << 10];
            while (done.get() == 0) {
                if (beside.read(buffer) < 0) {
                    throw new IOException("the long stream has ended");
                }
                Thread.sleep(2);
            }
        }));
        do {
            tally.attempt("a cancel beside a long stream", () -> {
                Exchange exchange = client.open("GET", "/delay/20000", Body.NONE);
                Thread.sleep(PAUSE_BETWEEN_CANCELS);
                exchange.cancel();
                tally.request(0);
            });
        } while (tally.goOn());
        done.set(1);
        reader.join();
        beside.cancel();
        tally.attempt("GET after the cancels", this::get);
    }

    /** Exchanges messages of this size on one stream, first one by one, then as fast as possible. */
    private void echo(int size) throws Exception {
        Exchange exchange = client.open("POST", "/echo", Body.DUPLEX);
        byte[] message = new byte[size];
        new Random(size).nextBytes(message);
        int count = size < 1000 ? 1000 : seconds < 10 ? 2 : 8;
        Semaphore echoed = new Semaphore(1);
        Thread writer = Tally.start(() -> tally.attempt("writing to /echo", () -> {
            for (int i = 0; i < 2 * count; i++) {
                if (i < count) {
                    echoed.acquire();
                }
                exchange.write(message);
            }
            exchange.end();
        }));
        expect(200, exchange.status());
        for (int i = 0; i < 2 * count; i++) {
            expectMessage(exchange, message);
            echoed.release();
        }
        writer.join();
        if (exchange.read(message.clone()) >= 0) {
            throw new IOException("the echo is longer than the content");
        }
        tally.request(2L * count * size);
    }

    /** Exchanges a message every 10 ms, in both directions. */
    private void trickle() throws Exception {
        Exchange exchange = client.open("POST", "/echo", Body.DUPLEX);
        byte[] message = Body.replayable(100).bytes();
        for (int i = 0; i < 200; i++) {
            exchange.write(message);
            expectMessage(exchange, message);
            Thread.sleep(10);
        }
        exchange.end();
        expectBytes(exchange, 0, 1, 0);
        tally.request(200 * 100);
    }

    private void ping() throws Exception {
        AtomicInteger done = new AtomicInteger();
        get();
        Thread pings = Tally.start(() -> tally.attempt("PING", () -> {
            while (done.get() == 0) {
                client.ping();
                Thread.sleep(1);
            }
        }));
        tally.repeat(concurrency, () -> {
            get();
            download(MB, 4096, 0);
        });
        done.set(1);
        pings.join();
    }

    private void soak() throws Exception {
        AtomicInteger turn = new AtomicInteger();
        List<Tally.Step> steps = new ArrayList<>(List.of(this::get, this::post, () -> download(MB, 4096, 0),
                () -> upload(MB), () -> client.open("GET", "/endless", Body.NONE).cancel(),
                () -> answered("/refuse", Body.replayable(POSTED), 401, -1),
                () -> answered("/early", Body.once(POSTED), 200, EARLY), () -> download(2 * MB, PACE, 5)));
        if (client.fullDuplex()) {
            steps.add(this::trickle);
            steps.add(() -> echo(100));
        }
        tally.repeat(concurrency, () -> {
            int number = turn.getAndIncrement() % steps.size();
            try {
                steps.get(number).run();
            } catch (Exception error) {
                throw new IOException("step " + number + " of the mixture", error);
            }
        });
    }

    private static void expect(int expected, int actual) throws IOException {
        if (expected != actual) {
            throw new IOException("status " + actual + " in place of " + expected);
        }
    }

    private static byte[] readAll(Exchange exchange) throws Exception {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        byte[] buffer = new byte[8192];
        for (int taken; (taken = exchange.read(buffer)) >= 0; ) {
            content.write(buffer, 0, taken);
        }
        return content.toByteArray();
    }

    private long expectBytes(Exchange exchange, long size, int step, long pauseMillis) throws Exception {
        return expectBytes(exchange, size, step, pauseMillis, true);
    }

    /**
     * Reads this many bytes, all of one value, and the end of the content if it is due; returns their number, which is
     * smaller if the transfer was cut short.
     */
    private long expectBytes(Exchange exchange, long size, int step, long pauseMillis, boolean end)
            throws Exception {
        byte[] buffer = new byte[step];
        int value = -1;
        long received = 0;
        while (end || received < size) {
            byte[] room = end || size - received >= step ? buffer : new byte[(int) (size - received)];
            int taken = exchange.read(room);
            if (taken < 0) {
                break;
            }
            tally.progressed();
            for (int i = 0; i < taken; i++) {
                if (value >= 0 && room[i] != value) {
                    throw new IOException("byte " + (received + i) + " is " + room[i] + " after " + value);
                }
                value = room[i];
            }
            if (pauseMillis > 0 && (received + taken) / PACE > received / PACE) {
                Thread.sleep(pauseMillis);
            }
            received += taken;
            if (received < size && tally.cut()) {
                exchange.cancel();
                return received;
            }
        }
        if (received != size) {
            throw new IOException(received + " bytes in place of " + size);
        }
        return received;
    }

    private void expectMessage(Exchange exchange, byte[] message) throws Exception {
        int received = 0;
        while (received < message.length) {
            byte[] buffer = new byte[Math.min(message.length - received, 64 << 10)];
            int taken = exchange.read(buffer);
            if (taken < 0) {
                throw new IOException("the echo ends in the midst of a message");
            }
            tally.progressed();
            if (!Arrays.equals(buffer, 0, taken, message, received, received + taken)) {
                throw new IOException("the echo differs");
            }
            received += taken;
        }
    }
}
