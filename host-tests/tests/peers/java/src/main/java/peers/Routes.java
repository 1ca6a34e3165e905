package peers;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The routes of all servers with blocking streams. */
public final class Routes {
    /** The content length of the response to `/early`. */
    public static final int EARLY = 10_000;

    /** The field `www-authenticate`, required in a response with status 401 (RFC 9110, 15.5.2). */
    public static final String CHALLENGE = "Bearer";

    /** Begins a response. */
    public interface Answer {
        /** Sends the status and the length of the content (-1 if unknown), and returns the stream for the content. */
        OutputStream begin(int status, long length) throws IOException;
    }

    private Routes() {}

    /** Answers a request. */
    public static void serve(String method, String path, InputStream content, Answer answer) throws Exception {
        if (path.startsWith("/bytes/")) {
            long size = Long.parseLong(path.substring("/bytes/".length()));
            give(answer.begin(200, size), size);
        } else if (path.startsWith("/delay/")) {
            Thread.sleep(Long.parseLong(path.substring("/delay/".length())));
            text(answer, 200, "that took a while\n");
        } else if (path.equals("/upload") || path.equals("/") && method.equals("POST")) {
            text(answer, 200, content.transferTo(OutputStream.nullOutputStream()) + "\n");
        } else if (path.equals("/echo")) {
            OutputStream out = answer.begin(200, -1);
            out.flush();
            byte[] buffer = new byte[16 << 10];
            for (int taken; (taken = content.read(buffer)) >= 0; ) {
                out.write(buffer, 0, taken);
                out.flush();
            }
            out.close();
        } else if (path.equals("/refuse")) {
            text(answer, 401, "no\n");
        } else if (path.equals("/early")) {
            give(answer.begin(200, EARLY), EARLY);
        } else if (path.equals("/endless")) {
            give(answer.begin(200, -1), Long.MAX_VALUE);
        } else if (path.equals("/")) {
            text(answer, 200, "Hello from Java.\n");
        } else {
            text(answer, 404, "there is nothing here\n");
        }
    }

    private static void text(Answer answer, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = answer.begin(status, bytes.length)) {
            out.write(bytes);
        }
    }

    private static void give(OutputStream out, long size) throws IOException {
        byte[] chunk = new byte[16 << 10];
        Arrays.fill(chunk, (byte) 'a');
        for (long left = size; left > 0; left -= chunk.length) {
            out.write(chunk, 0, (int) Math.min(chunk.length, left));
        }
        out.close();
    }
}
