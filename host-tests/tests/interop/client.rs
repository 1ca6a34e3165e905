//! `wasi-http2 get` with other servers.

use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use host_tests::support::{Process, assert_same, block_on, get, octets, peers, run_with_input, wasi_http2};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Barrier;

const MIB: usize = 1 << 20;
/// Sizes around those of frames and windows, and far beyond them.
const SIZES: [usize; 9] = [0, 1, 16_383, 16_384, 16_385, 65_535, 65_536, 5 * MIB, 100 * MIB];
/// The number of concurrent requests.
const CONCURRENT_REQUESTS: usize = 100;

#[test]
fn nghttpd_sends_content_of_any_size() {
    let folder = TempDir::new().unwrap();
    let content = octets(100 * MIB);
    for size in SIZES {
        fs::write(folder.path().join(size.to_string()), &content[..size]).unwrap();
    }
    let Some((_nghttpd, url)) = peers::nghttpd(folder.path(), &[]) else { return };
    for size in SIZES {
        assert_same(&get(&[&format!("{url}/{size}")]).content(), &content[..size]);
    }
}

#[test]
fn nghttpd_echoes_content() {
    let folder = TempDir::new().unwrap();
    let Some((_nghttpd, url)) = peers::nghttpd(folder.path(), &["--echo-upload"]) else { return };
    let content = octets(5 * MIB);
    let file = folder.path().join("content");
    fs::write(&file, &content).unwrap();
    assert_same(&get(&["-d", &format!("@{}", file.display()), &url]).content(), &content);
    assert_eq!(get(&["-X", "PUT", "-d", "as it stands", &url]).text(), "as it stands");
}

#[test]
fn nghttpd_sends_trailers() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "content\n").unwrap();
    let Some((_nghttpd, url)) = peers::nghttpd(folder.path(), &["--trailer", "checksum: 1234"]) else {
        return;
    };
    assert_eq!(get(&["--trailers", &format!("{url}/file")]).text(), "content\nchecksum: 1234\r\n");
}

#[test]
fn nghttpd_answers_100_concurrent_requests() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), octets(20_000)).unwrap();
    let Some((_nghttpd, url)) = peers::nghttpd(folder.path(), &[]) else { return };
    let summary = get(&["-n", "1000", "-m", "100", &format!("{url}/file")]).text();
    assert!(summary.starts_with("1000 requests: 1000 succeeded, 0 failed"), "{summary}");
}

/// Starts Node's server, and returns its URL.
fn node() -> Option<(Process, String)> {
    Some(Process::start_listening(&mut peers::node("server.mjs")?))
}

#[test]
fn node_echoes_content() {
    let Some((_node, url)) = node() else { return };
    let content = octets(100 * MIB);
    for size in SIZES {
        let echo = run_with_input(&mut wasi_http2(&["get", "-d", "@-", &url]), content[..size].to_vec());
        assert_same(&echo.content(), &content[..size]);
    }
}

#[test]
fn node_sends_all_parts_of_a_response() {
    let Some((_node, url)) = node() else { return };
    let hinted = get(&["-i", &format!("{url}/hints")]).text();
    let lines: Vec<&str> = hinted.lines().filter(|line| !line.starts_with("date: ")).collect();
    assert_eq!(lines, ["HTTP/2 103", "link: </style.css>; rel=preload", "", "HTTP/2 200", "", "hinted"]);
    assert_eq!(get(&["--trailers", &format!("{url}/trailers")]).text(), "with trailers\nx-check: sum\r\n");
}

#[test]
fn concurrent_requests_share_one_connection_to_node() {
    let Some((_node, url)) = node() else { return };
    let summary = get(&["-n", "1000", "-m", "100", &format!("{url}/bytes/1000")]).text();
    assert!(summary.starts_with("1000 requests: 1000 succeeded, 0 failed"), "{summary}");
    let counts = format!("{url}/counts");
    assert_eq!(
        get(&[&counts, &counts]).text(),
        "2 connections, 1001 requests\n2 connections, 1002 requests\n",
        "the second connection is this request's own"
    );
}

#[test]
fn errors_of_node_are_reported() {
    let Some((_node, url)) = node() else { return };
    let refused = get(&[&format!("{url}/reset")]);
    assert!(refused.error_line().contains("REFUSED_STREAM"), "{}", refused.stderr);
    let cut = get(&[&format!("{url}/cut")]);
    assert!(cut.error_line().contains("receiving the content"), "{}", cut.stderr);
    assert_eq!(cut.stdout, b"less than was promised");
}

/// A hyper server in this process.
struct Hyper {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Hyper {
    /// Starts a server on a free port that responds with `answer`.
    async fn start<A, F>(answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<BoxBody<Bytes, hyper::Error>>> + Send + 'static,
    {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tcp.set_nodelay(true).unwrap();
                let answer = answer.clone();
                let service = service_fn(move |request| {
                    let response = answer(request);
                    async { Ok::<_, Infallible>(response.await) }
                });
                let http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(http2.serve_connection(TokioIo::new(tcp), service));
            }
        });
        Self { url, connections }
    }

    /// Runs `wasi-http2 get` for a path of the server.
    async fn get(&self, options: &[&str], path: &str) -> Vec<u8> {
        let url = format!("{}{path}", self.url);
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).chain([url]).collect();
        tokio::task::spawn_blocking(move || {
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            get(&options).content()
        })
        .await
        .unwrap()
    }
}

fn full(content: impl Into<Bytes>) -> BoxBody<Bytes, hyper::Error> {
    Full::new(content.into()).map_err(|never| match never {}).boxed()
}

#[test]
fn hyper_echoes_content() {
    block_on(async {
        let hyper = Hyper::start(async |request| Response::new(request.into_body().boxed())).await;
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("content");
        let content = octets(100 * MIB);
        for size in SIZES {
            fs::write(&file, &content[..size]).unwrap();
            assert_same(&hyper.get(&["-d", &format!("@{}", file.display())], "/").await, &content[..size]);
        }
    });
}

#[test]
fn hyper_sends_trailers() {
    block_on(async {
        let answer = async |_| {
            let trailers = HeaderMap::from_iter([("x-check".parse().unwrap(), "sum".parse().unwrap())]);
            Response::new(full("content\n").with_trailers(async { Some(Ok(trailers)) }).boxed())
        };
        let hyper = Hyper::start(answer).await;
        assert_eq!(hyper.get(&["--trailers"], "/").await, b"content\nx-check: sum\r\n");
    });
}

#[test]
fn hyper_receives_100_concurrent_requests_on_one_connection() {
    block_on(async {
        // Answer no request before this many have arrived.
        let barrier = Arc::new(Barrier::new(CONCURRENT_REQUESTS));
        let hyper = Hyper::start(move |_| {
            let barrier = Arc::clone(&barrier);
            async move {
                barrier.wait().await;
                Response::new(full("now"))
            }
        })
        .await;
        let summary = hyper.get(&["-n", "1000", "-m", &CONCURRENT_REQUESTS.to_string()], "/").await;
        assert!(summary.starts_with(b"1000 requests: 1000 succeeded, 0 failed"));
        assert_eq!(hyper.connections.load(Ordering::Relaxed), 1);
    });
}
