//! The command `wasi-http2`, run as a user runs it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};

use host_tests::guests;
use host_tests::support::raw::RawClient;
use http2_test_support::{PREFACE, flag, kind, setting, settings};
use tempfile::{NamedTempFile, TempDir};

fn wasi_http2(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasi-http2-tested"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn get(args: &[&str]) -> Output {
    wasi_http2(&["get", "--timeout", "10"]).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// Starts a request, and waits until the server processes it.
fn get_in_progress(args: &[&str]) -> Child {
    in_progress(wasi_http2(&["get", "-v"]).args(args))
}

/// Starts a request that the server echoes, and whose content comes from standard input.
fn echo_in_progress(server: &Server) -> Child {
    in_progress(wasi_http2(&["get", "-v", "-d", "@-", &server.url("/echo")]).stdin(Stdio::piped()))
}

fn in_progress(get: &mut Command) -> Child {
    let mut request = get.spawn().unwrap();
    let mut frames = BufReader::new(request.stderr.as_mut().unwrap()).lines().map(Result::unwrap);
    // The server acknowledges SETTINGS once it has read them, and with them the request, which was sent in the same
    // write.
    let mut said = Vec::new();
    while said.last().is_none_or(|frame: &String| !frame.contains("recv SETTINGS frame <length=0")) {
        said.push(frames.next().unwrap_or_else(|| panic!("the request ended: {said:#?}")));
    }
    request
}

/// Returns the error message of a failed command, which must be one line.
fn error_line(output: &Output) -> &str {
    assert!(!output.status.success());
    let message = text(&output.stderr);
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

/// Reads the first line of a stream byte by byte, so that the rest stays in the stream.
fn first_line(stream: &mut impl Read) -> String {
    let (mut line, mut octet) = (Vec::new(), [0]);
    while stream.read(&mut octet).unwrap() == 1 && octet != *b"\n" {
        line.extend(octet);
    }
    String::from_utf8(line).unwrap()
}

/// `wasi-http2 serve` on a free port.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start() -> Self {
        Self::with(&[])
    }

    /// Starts the demonstration server with additional arguments.
    fn with(args: &[&str]) -> Self {
        let mut process = wasi_http2(&["serve", "--addr", "127.0.0.1:0"]).args(args).spawn().unwrap();
        let line = first_line(process.stdout.as_mut().unwrap());
        let url = line.strip_prefix("listening on ").expect("no URL in the first line");
        Self { url: url.to_owned(), process }
    }

    /// Serves a handler of wasi:http, with additional arguments.
    fn of(component: &[u8], args: &[&str]) -> Self {
        let file = NamedTempFile::new().unwrap();
        fs::write(file.path(), component).unwrap();
        let mut serve = wasi_http2(&["serve", "--addr", "127.0.0.1:0", "--component"]);
        let mut process = serve.arg(file.path()).args(args).spawn().unwrap();
        let line = first_line(process.stderr.as_mut().unwrap());
        let address = line.strip_prefix("http2-server: listening on ").expect("no address in the first line");
        Self { url: format!("http://{address}"), process }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Sends SIGINT, as Ctrl-C does in a terminal.
    fn interrupt(&self) {
        assert!(
            Command::new("kill").args(["-INT", &self.process.id().to_string()]).status().unwrap().success()
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Some tests have already ended it.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

#[test]
fn the_commands_in_the_help_text_work() {
    let server = Server::start();
    let output = get(&["-i", &server.url("/")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let response = text(&output.stdout);
    assert!(response.starts_with("HTTP/2 200"), "{response}");
    assert!(response.ends_with("Hello from a WebAssembly component, over HTTP/2.\n"), "{response}");
}

#[test]
fn verbose_logs_frames() {
    let server = Server::start();
    let output = get(&["-v", &server.url("/")]);
    let frames = text(&output.stderr);
    for frame in ["send HEADERS frame", "recv SETTINGS frame", "recv DATA frame"] {
        assert!(frames.contains(frame), "{frame} is missing in {frames}");
    }
}

#[test]
fn content_is_read_from_and_written_to_files() {
    let server = Server::start();
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("inner")).unwrap();
    fs::write(folder.path().join("sent"), "some content").unwrap();
    for (sent, received) in
        [("sent", "inner/received"), ("./sent", "./received"), ("inner/../sent", "received")]
    {
        let output = wasi_http2(&["get", "-d", &format!("@{sent}"), "-o", received, &server.url("/echo")])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(fs::read(folder.path().join(received)).unwrap(), b"some content");
        fs::remove_file(folder.path().join(received)).unwrap();
    }
}

#[test]
fn an_interrupt_lets_requests_finish() {
    let mut server = Server::start();
    let request = get_in_progress(&["-i", &server.url("/delay/1000")]);
    server.interrupt();
    let response = request.wait_with_output().unwrap();
    assert!(text(&response.stdout).starts_with("HTTP/2 200"), "{}", text(&response.stdout));
    assert!(server.process.wait().unwrap().success());
}

#[test]
fn a_second_interrupt_exits_at_once() {
    let mut server = Server::start();
    let request = get_in_progress(&[&server.url("/delay/60000")]);
    server.interrupt();
    let mut said = BufReader::new(server.process.stderr.take().unwrap()).lines();
    assert_eq!(said.next().unwrap().unwrap(), "wasi-http2: draining; interrupt again to end at once");
    assert!(server.process.try_wait().unwrap().is_none(), "a request is still in progress");
    server.interrupt();
    assert_eq!(server.process.wait().unwrap().code(), Some(130));
    assert!(!request.wait_with_output().unwrap().status.success());
}

#[test]
fn errors_are_one_line() {
    let server = Server::start();
    let address = server.url.strip_prefix("http://").unwrap();
    let second = wasi_http2(&["serve", "--addr", address]).output().unwrap();
    assert!(error_line(&second).contains(&format!("{address}: already in use")), "{}", error_line(&second));

    let starved = wasi_http2(&["serve", "--max-memory", "1"]).output().unwrap();
    assert_eq!(error_line(&starved), "wasi-http2: the guest exceeded its memory limit of 1 MiB\n");

    assert!(error_line(&get(&["http://127.0.0.1:1/"])).contains("connection refused"));
    assert!(
        error_line(&get(&["-o", "/nowhere/file", &server.url("/")])).contains("/nowhere cannot be opened")
    );
}

/// Sends a request through wasi:http and the client component.
fn get_by_wasi_http(args: &[&str]) -> Output {
    get(&[&["--wasi-http"], args].concat())
}

#[test]
fn a_handler_is_served() {
    let server = Server::of(guests::HTTP_SERVICE, &[]);
    let output = get(&["-i", "--trailers", &server.url("/trailers")]);
    let response = text(&output.stdout);
    assert!(response.starts_with("HTTP/2 200"), "{response}{}", text(&output.stderr));
    assert!(response.contains("followed by trailers\nchecksum: 1234\r\n"), "{response}");
}

#[test]
fn server_options_follow_two_dashes() {
    let server = Server::of(guests::HTTP_SERVICE, &["--", "--max-concurrent-streams", "7"]);
    let output = get(&["-v", &server.url("/")]);
    assert!(text(&output.stderr).contains("SETTINGS_MAX_CONCURRENT_STREAMS=7"), "{}", text(&output.stderr));

    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), guests::HTTP_SERVICE).unwrap();
    let mut serve = wasi_http2(&["serve", "--component"]);
    let help = serve.arg(file.path()).args(["--", "--help"]).output().unwrap();
    assert!(help.status.success() && text(&help.stdout).contains("--idle-timeout"), "{}", text(&help.stdout));
}

#[test]
fn an_interrupt_lets_a_handler_finish() {
    let mut server = Server::of(guests::HTTP_SERVICE, &[]);
    let request = get_in_progress(&["-i", &server.url("/delay/1000")]);
    server.interrupt();
    let response = request.wait_with_output().unwrap();
    assert!(text(&response.stdout).ends_with("that took a while\n"), "{}", text(&response.stdout));
    assert!(server.process.wait().unwrap().success());
}

#[test]
fn a_stuck_handler_ends_the_server() {
    let mut server = Server::of(guests::HTTP_SERVICE, &["--max-compute", "0.5"]);
    assert!(!get(&[&server.url("/loop")]).status.success());
    assert_eq!(server.process.wait().unwrap().code(), Some(1));
    let said = BufReader::new(server.process.stderr.take().unwrap()).lines().map(Result::unwrap).last();
    let reason = "the guest computed for longer than its limit of 500ms without calling the host";
    assert_eq!(said, Some(format!("wasi-http2: {reason}")));
}

#[test]
fn a_second_interrupt_ends_a_server_with_a_stuck_handler() {
    let mut server = Server::of(guests::HTTP_SERVICE, &["--max-compute", "1000"]);
    let mut said = BufReader::new(server.process.stderr.take().unwrap()).lines().map(Result::unwrap);
    let request = wasi_http2(&["get", "--timeout", "1", &server.url("/loop")]).output().unwrap();
    assert!(!request.status.success());
    server.interrupt();
    assert!(said.any(|line| line.starts_with("wasi-http2: draining")));
    server.interrupt();
    assert_eq!(server.process.wait().unwrap().code(), Some(130));
}

#[test]
fn components_that_cannot_be_served_are_refused_with_a_reason() {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), guests::HOG).unwrap();
    let output = wasi_http2(&["serve", "--component"]).arg(file.path()).output().unwrap();
    assert!(error_line(&output).contains("cannot be served: the application exports no wasi:http/handler"));
    fs::write(file.path(), guests::HTTP_SERVICE).unwrap();
    let output = wasi_http2(&["serve", "--client", "--component"]).arg(file.path()).output().unwrap();
    assert!(error_line(&output).contains("compose it without the client"), "{}", error_line(&output));
}

#[test]
fn a_handler_has_the_client_only_with_the_option_client() {
    let origin = Server::start();
    let host = format!("host: {}", origin.url.strip_prefix("http://").unwrap());
    let request = |proxy: &Server| get(&["-i", "-H", &host, &proxy.url("/status/418")]);
    let forward = Server::of(guests::HTTP_FORWARD, &["--client"]);
    let output = request(&forward);
    assert!(text(&output.stdout).starts_with("HTTP/2 418"), "{output:?}");

    // Without the option, the handler gets the host's client, which refuses all requests.
    let without = Server::of(guests::HTTP_FORWARD, &[]);
    let output = request(&without);
    assert!(text(&output.stdout).starts_with("HTTP/2 403"), "{output:?}");
}

#[test]
fn workers_take_turns_and_are_replaced_after_a_failure() {
    let options = ["--workers", "2", "--max-memory", "64", "--max-compute", "0.5"];
    let mut server = Server::of(guests::HTTP_SERVICE, &options);
    let (first, mut second) = (echo_in_progress(&server), echo_in_progress(&server));
    let mut said = BufReader::new(server.process.stderr.take().unwrap()).lines().map(Result::unwrap);
    // Each time, it is the first worker's turn for the next connection.
    let breaks = [
        ("/memory/1000000000", "the guest exceeded its memory limit of 64 MiB"),
        ("/loop", "the guest computed for longer than its limit of 500ms without calling the host"),
        ("/trap", "the guest trapped: wasm trap: wasm `unreachable` instruction executed"),
    ];
    for (path, reason) in breaks {
        assert!(!get(&[&server.url(path)]).status.success());
        let line = said.find(|line| line.starts_with("wasi-http2: ")).unwrap();
        assert_eq!(line, format!("wasi-http2: worker 0: {reason}; another takes its place"));
        assert!(get(&[&server.url("/")]).status.success(), "the second worker did not answer");
    }
    assert!(!first.wait_with_output().unwrap().status.success());

    second.stdin.take().unwrap().write_all(b"not touched").unwrap();
    let second = second.wait_with_output().unwrap();
    assert_eq!(text(&second.stdout), "not touched", "{}", text(&second.stderr));
    for _ in 0..4 {
        assert!(get(&[&server.url("/")]).status.success());
    }
    server.interrupt();
    assert!(server.process.wait().unwrap().success());
}

#[test]
fn a_worker_that_fails_before_its_first_connection_is_not_replaced() {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), guests::HTTP_SERVICE).unwrap();
    let mut serve = wasi_http2(&["serve", "--addr", "127.0.0.1:0", "--workers", "2", "--max-memory", "1"]);
    let output = serve.arg("--component").arg(file.path()).output().unwrap();
    assert_eq!(error_line(&output), "wasi-http2: the guest exceeded its memory limit of 1 MiB\n");
}

#[test]
fn the_demonstration_server_has_workers() {
    let mut server = Server::with(&["--workers", "2"]);
    let (mut first, mut second) = (echo_in_progress(&server), echo_in_progress(&server));
    for (request, content) in [(&mut second, "second"), (&mut first, "first")] {
        request.stdin.take().unwrap().write_all(content.as_bytes()).unwrap();
    }
    assert_eq!(text(&first.wait_with_output().unwrap().stdout), "first");
    let third = echo_in_progress(&server);
    server.interrupt();
    assert_eq!(text(&second.wait_with_output().unwrap().stdout), "second");
    let third = third.wait_with_output().unwrap();
    assert!(third.status.success(), "{}", text(&third.stderr));
    assert!(server.process.wait().unwrap().success());
}

/// The client opens the window only once it has received what the window permitted, so that no other event helps the server
/// along.
#[test]
fn a_reader_with_a_small_window_receives_everything() {
    const WINDOW: u32 = 16_384;
    const CONTENT: usize = 262_144;
    for workers in [&[][..], &["--workers", "2"]] {
        let server = Server::with(workers);
        let address = server.url.strip_prefix("http://").unwrap().parse().unwrap();
        let mut client = RawClient::connect_silently(address);
        client.send_octets(&[PREFACE, &settings(&[(setting::INITIAL_WINDOW_SIZE, WINDOW)])].concat());
        client.synchronise();
        client.request(1, "GET", &format!("/bytes/{CONTENT}"), flag::END_STREAM);
        let (mut received, mut unclaimed) = (0, 0);
        while received < CONTENT {
            let frame = client.receive().expect("the connection remains open");
            if frame.kind != kind::DATA {
                continue;
            }
            received += frame.payload.len();
            unclaimed += frame.payload.len();
            if unclaimed >= WINDOW as usize / 2 {
                client.widen_windows(1, unclaimed);
                unclaimed = 0;
            }
        }
    }
}

#[test]
fn wasi_http_sends_requests_and_receives_responses() {
    let server = Server::start();
    let output = get_by_wasi_http(&["-i", "--trailers", "-d", "some content", &server.url("/echo")]);
    let response = text(&output.stdout);
    assert!(response.starts_with("HTTP 200\r\n"), "{response}{}", text(&output.stderr));
    assert!(response.ends_with("\r\n\r\nsome content"), "{response}");

    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("sent"), vec![b'a'; 1 << 20]).unwrap();
    let args = ["get", "--wasi-http", "-d", "@sent", &server.url("/echo")];
    let output = wasi_http2(&args).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.stdout.len(), 1 << 20, "{}", text(&output.stderr));

    let output = get_by_wasi_http(&["-n", "100", "-m", "10", &server.url("/")]);
    assert!(
        text(&output.stdout).starts_with("100 requests: 100 succeeded, 0 failed"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn wasi_http_reports_unsupported_options_and_errors() {
    let server = Server::start();
    assert!(error_line(&get_by_wasi_http(&["http://127.0.0.1:1/"])).contains("connection refused"));
    let late = wasi_http2(&["get", "--wasi-http", "--timeout", "0.2", &server.url("/delay/60000")]).output();
    assert!(error_line(&late.unwrap()).contains("no end within the time allowed"));
    for other in [&["-v"][..], &["-o", "file"]] {
        let output = get_by_wasi_http(&[other, &[&server.url("/")]].concat());
        assert!(!output.status.success());
        assert!(
            text(&output.stderr).contains("'--wasi-http' cannot be used with"),
            "{}",
            text(&output.stderr)
        );
    }
}
