// Node's http2. Arguments: "serve"; or a case, a URL and the number of round trips, each of which prints a line with
// its time in microseconds.
import http2 from 'node:http2';

const CONTENT = 'hello';

function serve() {
    const server = http2.createServer();
    server.on('stream', (stream, headers) => {
        stream.respond({ ':status': 200 });
        if (headers[':path'] === '/echo') {
            stream.pipe(stream);
        } else {
            stream.end('hello\n');
        }
    });
    server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
}

function exchange(session, path, content) {
    return new Promise((resolve, reject) => {
        const stream = session.request({ ':method': content ? 'POST' : 'GET', ':path': path });
        stream.on('error', reject);
        stream.on('end', resolve);
        stream.resume();
        stream.end(content);
    });
}

function message(stream) {
    return new Promise((resolve) => {
        let left = CONTENT.length;
        const take = (data) => {
            left -= data.length;
            if (left === 0) {
                stream.off('data', take);
                resolve();
            }
        };
        stream.on('data', take);
        stream.write(CONTENT);
    });
}

async function measure(kind, url, count) {
    const { origin, pathname } = new URL(url);
    const session = http2.connect(origin);
    const stream = kind === 'ping-pong' && session.request({ ':method': 'POST', ':path': pathname });
    const round = {
        get: () => exchange(session, pathname),
        post: () => exchange(session, pathname, CONTENT),
        'ping-pong': () => message(stream),
    }[kind];
    for (let i = 0; i < count; i += 1) {
        const began = process.hrtime.bigint();
        await round();
        console.log(Number((process.hrtime.bigint() - began) / 1000n));
    }
    if (stream) {
        stream.end();
    }
    session.close();
}

if (process.argv[2] === 'serve') {
    serve();
} else {
    await measure(process.argv[2], process.argv[3], Number(process.argv[4]));
}
