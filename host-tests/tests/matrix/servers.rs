//! Other servers, to which `wasi-http2 get` sends requests.

mod start;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use host_tests::support::{Process, assert_same, get, octets, wasi_http2};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::cells::{Column, NODE, Peer, Row};

pub(crate) use start::{apache_command, caddy_command, haproxy_command, served};

pub(crate) const PEERS: &[Peer] = &[
    Peer {
        name: "nghttpd",
        needs: &[("nghttpd", "nghttp2-server")],
        unsupported: &[
            (Column::Informational, "nghttpd sends none."),
            (Column::Shutdown, "nghttpd exits at once when it is told to stop."),
        ],
        run: |peer| Some(answers(peer, &start::nghttpd())),
    },
    Peer {
        name: "Node.js",
        needs: &[NODE],
        unsupported: &[],
        run: |peer| Some(answers(peer, &start::node())),
    },
    Peer {
        name: "Hypercorn (Python)",
        needs: &[],
        unsupported: &[],
        run: |peer| Some(answers(peer, &start::hypercorn()?)),
    },
    Peer {
        name: "nginx",
        needs: &[("nginx", "nginx-light"), NODE],
        unsupported: &[(
            Column::Informational,
            "nginx 1.22 sends none, and mistakes a backend's 103 for the final response, as nghttp shows.",
        )],
        run: |peer| Some(answers(peer, &start::nginx())),
    },
    Peer {
        name: "Apache httpd",
        needs: &[("apache2", "apache2-bin"), NODE],
        unsupported: &[],
        run: |peer| Some(answers(peer, &start::apache())),
    },
    Peer {
        name: "HAProxy",
        needs: &[("haproxy", "haproxy"), NODE],
        unsupported: &[],
        run: |peer| Some(answers(peer, &start::haproxy())),
    },
    Peer {
        name: "H2O",
        needs: &[("h2o", "h2o"), NODE],
        unsupported: &[
            (
                Column::Trailers,
                "H2O 2.2 does not forward its backend's trailers; nghttp receives none either.",
            ),
            (
                Column::Informational,
                "H2O 2.2 does not forward its backend's 103; nghttp receives none either.",
            ),
        ],
        run: |peer| Some(answers(peer, &start::h2o())),
    },
    Peer {
        name: "Caddy",
        needs: &[("caddy", "caddy"), NODE],
        unsupported: &[(
            Column::Shutdown,
            "Caddy 2.6 stops without GOAWAY while connections of cleartext HTTP/2 are busy (caddyserver/caddy#4907): \
             curl and nghttp lose the response as well.",
        )],
        run: |peer| Some(answers(peer, &start::caddy())),
    },
    Peer {
        name: "Go net/http",
        needs: &[("go", "golang-go golang-golang-x-net-dev")],
        unsupported: &[],
        run: |peer| Some(answers(peer, &start::go()?)),
    },
];

const LINE: &str = "a line of text\n";
const LARGE: usize = 16 << 20;
/// More than buffers hold, so that the transfer takes a while.
const LONG: u64 = 64 << 20;
/// More than any test receives.
const ENDLESS: u64 = 1 << 40;

/// The files of a server: `/file`, `/large`, `/long` and `/endless`.
///
/// In addition, `/echo` returns the content of a request, `/trailers` has the trailer `x-check: sum`, and `/hints`
/// sends 103 before its response.
pub(crate) struct Site {
    folder: TempDir,
    large: Vec<u8>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let files = folder.path().join("files");
        fs::create_dir(&files).unwrap();
        // Servers started by root read the folder as another user.
        for folder in [folder.path(), &files] {
            fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        }
        let large = octets(LARGE);
        for name in ["file", "trailers"] {
            fs::write(files.join(name), LINE).unwrap();
        }
        fs::write(files.join("large"), &large).unwrap();
        // Sparse files, which take no disk space.
        for (name, length) in [("long", LONG), ("endless", ENDLESS)] {
            File::create(files.join(name)).unwrap().set_len(length).unwrap();
        }
        Self { folder, large }
    }

    /// Returns a path for a server's own files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the folder of the files to serve.
    pub(crate) fn files(&self) -> PathBuf {
        self.path("files")
    }
}

/// A running server of another implementation.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) url: String,
    /// The signal for a graceful shutdown.
    pub(crate) stop: Signal,
    /// The backend of the server.
    pub(crate) _behind: Option<Box<Self>>,
    pub(crate) site: Site,
}

impl Server {
    /// Requests a graceful shutdown.
    fn shut_down(&self) {
        let pid = i32::try_from(self.process.pid()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), self.stop).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server with several processes must stop the others itself, so try SIGTERM before it is killed.
        if !self.process.has_ended() {
            self.process.terminate();
            let told = Instant::now();
            while !self.process.has_ended() && told.elapsed() < Duration::from_secs(5) {
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

/// Runs all tests with a server.
fn answers(peer: &Peer, server: &Server) -> Row {
    peer.try_all(|column| check(column, server))
}

fn check(column: Column, server: &Server) {
    let url = |path: &str| format!("{}{path}", server.url);
    match column {
        Column::Get => {
            let response = get(&["-i", &url("/file")]).text();
            assert!(response.starts_with("HTTP/2 200") && response.ends_with(LINE), "{response}");
        }
        Column::Head => {
            let response = get(&["-X", "HEAD", "-i", &url("/file")]).text();
            assert!(response.starts_with("HTTP/2 200") && !response.contains(LINE), "{response}");
            assert!(response.contains("content-length: 15"), "{response}");
        }
        Column::Download => assert_same(&get(&[&url("/large")]).content(), &server.site.large),
        Column::Upload => {
            let file = server.site.files().join("large");
            let echo = get(&["-d", &format!("@{}", file.display()), &url("/echo")]);
            assert_same(&echo.content(), &server.site.large);
        }
        Column::Trailers => {
            let response = get(&["-H", "te: trailers", "--trailers", &url("/trailers")]).text();
            assert!(response.ends_with("\nx-check: sum\r\n"), "{response}");
        }
        Column::Informational => {
            let response = get(&["-i", &url("/hints")]).text();
            assert!(response.starts_with("HTTP/2 103"), "{response}");
            let (hints, response) = response.split_once("HTTP/2 200").expect("the response");
            assert!(hints.contains("link: </style.css>; rel=preload"), "{hints}");
            assert!(response.ends_with("hinted\n"), "{response}");
        }
        Column::AtOnce => {
            let summary = get(&["-n", "1000", "-m", "100", &url("/file")]).text();
            assert!(summary.starts_with("1000 requests: 1000 succeeded, 0 failed"), "{summary}");
        }
        Column::Cancel => {
            let timed_out = get(&["-v", "-n", "1", "--timeout", "1", &url("/endless")]);
            let frames: Vec<&str> = timed_out.stderr.lines().collect();
            let has = |words: &[&str]| frames.iter().any(|line| words.iter().all(|word| line.contains(word)));
            assert!(has(&["recv DATA"]) && has(&["send RST_STREAM", "CANCEL"]), "{:?}", frames.last());
            assert_eq!(get(&[&url("/file")]).text(), LINE);
        }
        Column::Shutdown => shutdown(server),
    }
}

/// Tells the server to stop while our client receives a response.
fn shutdown(server: &Server) {
    let url = format!("{}/long", server.url);
    let download = Process::start_writing(wasi_http2(&["get", "-v"]).arg(url));
    server.shut_down();
    let finished = download.finish();
    let last = finished.stderr.lines().last();
    assert_eq!(finished.code, Some(0), "{last:?}");
    assert_eq!(finished.stdout.len() as u64, LONG);
    assert!(finished.stderr.contains("recv GOAWAY"), "no GOAWAY: {last:?}");
}

/// Writes a configuration to a file, and returns its path.
fn write(path: &Path, text: &str) -> PathBuf {
    fs::write(path, text).unwrap();
    path.to_owned()
}
