//! Other clients, and proxies, that send requests to `wasi-http2 serve`.

use std::cell::RefCell;
use std::fs;
use std::process::Command;

use host_tests::guests;
use host_tests::support::peers::{self, Python};
use host_tests::support::{Process, Serve, assert_same, octets, run};
use tempfile::NamedTempFile;

use crate::cells::{CURL, Column, NGHTTP, NODE, Peer, Row};
use crate::{go, proxies, script};

const CLOSES: &str = "The command closes its connection when it cancels a request.";

pub(crate) const PEERS: &[Peer] = &[
    Peer {
        name: "curl",
        needs: &[CURL],
        unsupported: &[
            (
                Column::AtOnce,
                "With prior knowledge, curl 7.88 fails when it reuses a connection, also with nghttpd and Node.js \
                 (curl/curl#10634).",
            ),
            (Column::Cancel, CLOSES),
        ],
        run: |peer| Some(Asked::by(peer, |column, serve| curl_asks(column, &serve.url("")))),
    },
    Peer {
        name: "libcurl (Python)",
        needs: &[],
        unsupported: &[(
            Column::Trailers,
            "libcurl sends none over HTTP/2, so the echo has none. curl receives those of another of our servers.",
        )],
        run: |peer| {
            let python = Python::with_packages()?;
            Some(Asked::by_script(peer, || python.script(&script("libcurl.py"))))
        },
    },
    Peer {
        name: "nghttp",
        needs: &[NGHTTP],
        unsupported: &[(Column::Cancel, CLOSES)],
        run: |peer| Some(Asked::by(peer, |column, serve| nghttp_asks(column, &serve.url("")))),
    },
    Peer {
        name: "h2load",
        needs: &[("h2load", "nghttp2-client")],
        unsupported: &[
            (Column::Trailers, "h2load neither sends trailers nor reports those that it receives."),
            (Column::Informational, "h2load does not report them."),
            (Column::Cancel, "h2load cancels no requests."),
            (Column::Shutdown, "h2load does not report when a response begins."),
        ],
        run: |peer| Some(Asked::by(peer, |column, serve| h2load_asks(column, &serve.url("")))),
    },
    Peer {
        name: "Node.js",
        needs: &[NODE],
        unsupported: &[],
        run: |peer| {
            Some(Asked::by_script(peer, || {
                let mut node = program("node");
                node.arg(script("client.mjs"));
                node
            }))
        },
    },
    Peer {
        name: "httpx (Python)",
        needs: &[],
        unsupported: &[
            (Column::Trailers, "httpx does not support trailers."),
            (Column::Informational, "httpx ignores informational responses."),
            (
                Column::Shutdown,
                "The package h2, which httpx uses, treats a connection as closed after GOAWAY, and fails at the \
                 next frame.",
            ),
        ],
        run: |peer| {
            let python = Python::with_packages()?;
            Some(Asked::by_script(peer, || python.script(&script("client.py"))))
        },
    },
    Peer {
        name: "Go net/http",
        needs: &[("go", "golang-go golang-golang-x-net-dev")],
        unsupported: &[],
        run: |peer| {
            let program = go::peer()?;
            Some(Asked::by_script(peer, || Command::new(program.get_program())))
        },
    },
    proxies::HAPROXY,
    proxies::CADDY,
    proxies::APACHE,
];

const LARGE: usize = 16 << 20;
/// More than buffers hold, so that the transfer takes a while.
const LONG: usize = 100_000_000;
pub(crate) const ENDLESS: &str = "/bytes/1000000000000";

/// Our server, which runs until the last column.
pub(crate) struct Asked(RefCell<Option<Serve>>);

impl Asked {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(Some(Serve::start())))
    }

    /// Passes our server to `ask`; not allowed after the last column.
    pub(crate) fn with<T>(&self, ask: impl FnOnce(&Serve) -> T) -> T {
        ask(self.0.borrow().as_ref().expect("the server has stopped"))
    }

    /// Runs all tests with a client.
    ///
    /// In the last column, `download` starts to receive a long response, and our server is told to stop.
    pub(crate) fn try_all(
        &self,
        peer: &Peer,
        check: impl Fn(Column, &Serve),
        download: impl Fn(&Serve, &str) -> Command,
        is_whole: impl Fn(&[u8]) -> bool,
    ) -> Row {
        peer.try_all(|column| {
            if column != Column::Shutdown {
                return self.with(|serve| check(column, serve));
            }
            let serve = self.0.take().unwrap();
            let path = format!("/bytes/{LONG}");
            let download = Process::start_writing(&mut download(&serve, &path));
            serve.interrupt();
            assert!(is_whole(&download.finish().content()), "the response is incomplete");
            let ended = serve.finish();
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        })
    }

    /// Runs the tests with a command that writes the content it receives.
    fn by(peer: &Peer, check: impl Fn(Column, &Serve)) -> Row {
        let download = |serve: &Serve, path: &str| {
            let mut command = if peer.name == "curl" { curl() } else { program("nghttp") };
            command.arg(serve.url(path));
            command
        };
        Self::new().try_all(peer, check, download, is_long)
    }

    /// Runs the tests with a script that knows the tests by name, and checks the responses itself.
    fn by_script(peer: &Peer, command: impl Fn() -> Command) -> Row {
        let check = |column: Column, serve: &Serve| {
            let said = run(command().arg(column.case()).arg(serve.url(""))).text();
            assert_eq!(said, "ok\n");
        };
        let download = |serve: &Serve, _: &str| {
            let mut command = command();
            command.arg(Column::Shutdown.case()).arg(serve.url(""));
            command
        };
        Self::new().try_all(peer, check, download, |said| said == b"started\nok\n")
    }
}

/// Returns whether `content` is the whole long response.
pub(crate) fn is_long(content: &[u8]) -> bool {
    content.len() == LONG
}

/// Returns a program that is known to be installed, because rows of missing peers are skipped.
fn program(name: &str) -> Command {
    peers::find(name).unwrap_or_else(|| panic!("{name} is missing"))
}

/// Returns curl with options to start with HTTP/2.
pub(crate) fn curl() -> Command {
    let mut curl = program("curl");
    curl.args(["--silent", "--show-error", "--no-buffer", "--http2-prior-knowledge"]);
    curl
}

/// Creates the file to upload.
fn upload() -> (NamedTempFile, Vec<u8>) {
    let file = NamedTempFile::new().unwrap();
    let content = octets(LARGE);
    fs::write(&file, &content).unwrap();
    (file, content)
}

/// Sends requests with curl to our server, or to a proxy in front of it.
pub(crate) fn curl_asks(column: Column, url: &str) {
    let curls = |options: &[&str], path: &str| run(curl().args(options).arg(format!("{url}{path}")));
    match column {
        Column::Get => {
            let response = curls(&["-i"], "/").text();
            assert!(response.starts_with("HTTP/2 200") && response.contains("\r\n\r\nHello"), "{response}");
        }
        Column::Head => {
            let head = curls(&["--head"], "/bytes/1000").text();
            assert!(head.starts_with("HTTP/2 200"), "{head}");
            assert!(head.contains("content-length: 1000\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        }
        Column::Download => {
            assert_same(&curls(&[], &format!("/bytes/{LARGE}")).content(), &vec![0; LARGE]);
        }
        Column::Upload => {
            let (file, content) = upload();
            let data = format!("@{}", file.path().display());
            assert_same(&curls(&["--data-binary", &data], "/echo").content(), &content);
        }
        Column::Trailers => {
            // curl sends no trailers, so the echo has none. Use another of our servers, which adds some.
            curl_gets_trailers(&serve_trailers().url(""));
        }
        Column::Informational => {
            let response = curls(&["-i"], "/early-hints").text();
            assert!(response.starts_with("HTTP/2 103"), "{response}");
            assert!(response.contains("\r\n\r\nHTTP/2 200"), "{response}");
        }
        Column::AtOnce | Column::Cancel | Column::Shutdown => unreachable!("curl alone cannot run this test"),
    }
}

/// Starts our server for `wasi:http`, whose `/trailers` sends trailers of its own.
pub(crate) fn serve_trailers() -> Serve {
    Serve::start_handler(guests::HTTP_SERVICE, &[])
}

/// Requests trailers with curl from that server, or from a proxy in front of it.
pub(crate) fn curl_gets_trailers(url: &str) {
    let response = run(curl().arg("-i").arg(format!("{url}/trailers"))).text();
    assert!(response.contains("checksum: 1234\r\n"), "{response}");
}

/// Sends trailers with nghttp, and asserts that they are echoed.
pub(crate) fn nghttp_sends_trailers(url: &str) {
    // Little content: when HAProxy 2.6 echoes more to a client whose windows are as small as nghttp's, it stalls: it
    // reads neither of its connections, and so never sees the WINDOW_UPDATE frames.
    let file = NamedTempFile::new().unwrap();
    fs::write(&file, octets(1_000)).unwrap();
    let mut nghttp = program("nghttp");
    nghttp.args(["-nv", "--trailer", "x-check: sum", "-d"]).arg(file.path()).arg(format!("{url}/echo"));
    let frames = run(&mut nghttp).text();
    assert!(
        frames.lines().any(|line| line.contains("recv (stream_id=") && line.contains("x-check: sum")),
        "no trailers, {} lines",
        frames.lines().count()
    );
}

fn nghttp_asks(column: Column, url: &str) {
    let nghttp =
        |options: &[&str], path: &str| run(program("nghttp").args(options).arg(format!("{url}{path}")));
    match column {
        Column::Get => assert!(nghttp(&[], "/").text().starts_with("Hello")),
        Column::Head => {
            let frames = nghttp(&["-nv", "-H", ":method: HEAD"], "/bytes/1000").text();
            assert!(frames.contains("content-length: 1000") && !frames.contains("recv DATA"), "{frames}");
        }
        Column::Download => {
            assert_same(&nghttp(&[], &format!("/bytes/{LARGE}")).content(), &vec![0; LARGE]);
        }
        Column::Upload => {
            let (file, content) = upload();
            assert_same(&nghttp(&["-d", &file.path().to_string_lossy()], "/echo").content(), &content);
        }
        Column::Trailers => nghttp_sends_trailers(url),
        Column::Informational => {
            let frames = nghttp(&["-nv"], "/early-hints").text();
            let statuses: Vec<&str> = frames
                .lines()
                .filter_map(|line| line.split_once(":status: "))
                .map(|(_, code)| code)
                .collect();
            assert_eq!(statuses, ["103", "200"]);
        }
        Column::AtOnce => {
            let frames = nghttp(&["-nv", "-m", "100"], "/bytes/100").text();
            assert_eq!(frames.matches(":status: 200").count(), 100);
        }
        Column::Cancel | Column::Shutdown => unreachable!("tested elsewhere"),
    }
}

/// Sends requests with h2load to our server, or to a proxy in front of it.
pub(crate) fn h2load_asks(column: Column, url: &str) {
    let h2load = |options: &[&str], path: &str| {
        run(program("h2load").args(options).arg(format!("{url}{path}"))).text()
    };
    let (summary, wanted) = match column {
        Column::Get => (h2load(&["-n", "1"], "/bytes/1000"), ["1 succeeded", "(1000) data"]),
        Column::Head => {
            (h2load(&["-n", "1", "-H", ":method: HEAD"], "/bytes/1000"), ["1 succeeded", "(0) data"])
        }
        Column::Download => {
            (h2load(&["-n", "1"], &format!("/bytes/{LARGE}")), ["1 succeeded", "(16777216) data"])
        }
        Column::Upload => {
            let (file, _) = upload();
            let data = file.path().to_string_lossy();
            (h2load(&["-n", "1", "-d", &data], "/echo"), ["1 succeeded", "(16777216) data"])
        }
        Column::AtOnce => {
            let options = ["-n", "20000", "-c", "1", "-m", "100"];
            (h2load(&options, "/bytes/100"), ["20000 succeeded, 0 failed", "(2000000) data"])
        }
        _ => unreachable!("h2load does not support this test"),
    };
    for wanted in wanted {
        assert!(summary.contains(wanted), "{wanted}: {summary}");
    }
}
