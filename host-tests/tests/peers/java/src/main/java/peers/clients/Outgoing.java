package peers.clients;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import peers.Body;
import peers.Incoming;

/** Content for Apache's client that cannot be sent again, from a stream or from a writer. */
final class Outgoing implements AsyncEntityProducer {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Body body;
    private final InputStream stream;
    private ByteBuffer pending = ByteBuffer.allocate(0);
    private DataStreamChannel channel;
    private Exception failure;
    private boolean ended;

    Outgoing(Body body) {
        this.body = body;
        stream = body.kind() == Body.Kind.ONCE ? body.stream() : null;
    }

    void write(byte[] bytes) throws Exception {
        lock.lock();
        try {
            pending = ByteBuffer.wrap(bytes);
            if (channel != null) {
                channel.requestOutput();
            }
            while (pending.hasRemaining() && failure == null) {
                if (!changed.await(Incoming.PATIENCE, TimeUnit.SECONDS)) {
                    throw new TimeoutException("the server takes no content");
                }
            }
            if (failure != null) {
                throw new IOException(failure);
            }
        } finally {
            lock.unlock();
        }
    }

    void end() {
        lock.lock();
        try {
            ended = true;
            if (channel != null) {
                channel.requestOutput();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int available() {
        lock.lock();
        try {
            return stream != null || ended ? Integer.MAX_VALUE : pending.remaining();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void produce(DataStreamChannel to) throws IOException {
        lock.lock();
        try {
            channel = to;
            do {
                refill();
                to.write(pending);
            } while (!pending.hasRemaining() && stream != null && !ended);
            if (!pending.hasRemaining()) {
                changed.signalAll();
                if (ended) {
                    to.endStream();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void refill() throws IOException {
        if (stream == null || pending.hasRemaining()) {
            return;
        }
        byte[] next = stream.readNBytes(16 << 10);
        ended = next.length == 0;
        pending = ByteBuffer.wrap(next);
    }

    @Override
    public void failed(Exception error) {
        lock.lock();
        try {
            failure = error;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void releaseResources() {
        failed(new IOException("the exchange is over"));
    }

    @Override
    public boolean isRepeatable() {
        return false;
    }

    @Override
    public long getContentLength() {
        return body.size();
    }

    @Override
    public String getContentType() {
        return "application/octet-stream";
    }

    @Override
    public String getContentEncoding() {
        return null;
    }

    @Override
    public boolean isChunked() {
        return body.size() < 0;
    }

    @Override
    public Set<String> getTrailerNames() {
        return Set.of();
    }
}
