package peers;

import java.io.InputStream;
import java.util.Arrays;

/** The content of a request. */
public record Body(Kind kind, long size) {
    /** The way in which the library gets the content. */
    public enum Kind {
        /** No content. */
        NONE,
        /** A byte array, which the library can send again. */
        REPLAYABLE,
        /** A stream of known size, which it cannot send again. */
        ONCE,
        /** Bytes that the caller writes to the exchange at any time. */
        DUPLEX
    }

    /** A request without content. */
    public static final Body NONE = new Body(Kind.NONE, 0);

    /** Content that the caller writes. */
    public static final Body DUPLEX = new Body(Kind.DUPLEX, -1);

    /** Content in an array. */
    public static Body replayable(int size) {
        return new Body(Kind.REPLAYABLE, size);
    }

    /** Content in a stream. */
    public static Body once(long size) {
        return new Body(Kind.ONCE, size);
    }

    /** The content as an array. */
    public byte[] bytes() {
        byte[] bytes = new byte[Math.toIntExact(size)];
        Arrays.fill(bytes, (byte) 'a');
        return bytes;
    }

    /** The content as a stream. */
    public InputStream stream() {
        return new Zeros(size);
    }

    private static final class Zeros extends InputStream {
        private long left;

        Zeros(long size) {
            left = size;
        }

        @Override
        public int read() {
            return left-- > 0 ? 0 : -1;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) {
            if (length == 0) {
                return 0;
            }
            int taken = (int) Math.min(length, left);
            if (taken == 0) {
                return -1;
            }
            Arrays.fill(buffer, offset, offset + taken, (byte) 0);
            left -= taken;
            return taken;
        }
    }
}
