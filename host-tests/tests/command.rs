//! The command `wasi-http2`, as a person uses it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

fn wasi_http2(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasi-http2"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn get(args: &[&str]) -> Output {
    wasi_http2(&["get", "--timeout", "10"]).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// A request that the server is at work on.
fn get_in_progress(args: &[&str]) -> Child {
    let mut request = wasi_http2(&["get", "-v"]).args(args).spawn().unwrap();
    let mut frames = BufReader::new(request.stderr.as_mut().unwrap()).lines();
    // The server has read the client's SETTINGS, and with them the request, which came in the same octets.
    assert!(frames.any(|frame| frame.unwrap().contains("recv SETTINGS frame <length=0")));
    request
}

/// What a command says that has failed: one sentence.
fn complaint(output: &Output) -> &str {
    assert!(!output.status.success());
    let message = text(&output.stderr);
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

/// `wasi-http2 serve` on a free port.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start() -> Self {
        let mut process = wasi_http2(&["serve", "--addr", "127.0.0.1:0"]).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.as_mut().unwrap()).lines();
        let line = said.next().unwrap().unwrap();
        let url =
            line.strip_prefix("listening on ").expect("the first line says where it listens").to_owned();
        Self { process, url }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// What Ctrl-C does in a terminal.
    fn interrupt(&self) {
        assert!(
            Command::new("kill").args(["-INT", &self.process.id().to_string()]).status().unwrap().success()
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already where a test wants it to.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

#[test]
fn the_two_commands_of_the_help_show_a_response() {
    let server = Server::start();
    let output = get(&["-i", &server.url("/")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let response = text(&output.stdout);
    assert!(response.starts_with("HTTP/2 200"), "{response}");
    assert!(response.ends_with("Hello from a WebAssembly component, over HTTP/2.\n"), "{response}");
}

#[test]
fn verbose_tells_the_frames() {
    let server = Server::start();
    let output = get(&["-v", &server.url("/")]);
    let frames = text(&output.stderr);
    for frame in ["send HEADERS frame", "recv SETTINGS frame", "recv DATA frame"] {
        assert!(frames.contains(frame), "{frame} is missing in {frames}");
    }
}

#[test]
fn content_comes_from_files_and_goes_to_files() {
    let server = Server::start();
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("inner")).unwrap();
    std::fs::write(folder.path().join("sent"), "some content").unwrap();
    for (sent, received) in
        [("sent", "inner/received"), ("./sent", "./received"), ("inner/../sent", "received")]
    {
        let output = wasi_http2(&["get", "-d", &format!("@{sent}"), "-o", received, &server.url("/echo")])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(std::fs::read(folder.path().join(received)).unwrap(), b"some content");
        std::fs::remove_file(folder.path().join(received)).unwrap();
    }
}

#[test]
fn an_interrupt_lets_what_runs_finish() {
    let mut server = Server::start();
    let request = get_in_progress(&["-i", &server.url("/delay/1000")]);
    server.interrupt();
    let response = request.wait_with_output().unwrap();
    assert!(text(&response.stdout).starts_with("HTTP/2 200"), "{}", text(&response.stdout));
    assert!(server.process.wait().unwrap().success());
}

#[test]
fn a_second_interrupt_ends_at_once() {
    let mut server = Server::start();
    let request = get_in_progress(&[&server.url("/delay/60000")]);
    server.interrupt();
    let mut said = BufReader::new(server.process.stderr.take().unwrap()).lines();
    assert_eq!(said.next().unwrap().unwrap(), "wasi-http2: draining; interrupt again to end at once");
    assert!(server.process.try_wait().unwrap().is_none(), "it still has a request to finish");
    server.interrupt();
    assert_eq!(server.process.wait().unwrap().code(), Some(130));
    assert!(!request.wait_with_output().unwrap().status.success());
}

#[test]
fn failures_are_one_sentence() {
    let server = Server::start();
    let address = server.url.strip_prefix("http://").unwrap();
    let second = wasi_http2(&["serve", "--addr", address]).output().unwrap();
    assert!(complaint(&second).contains(&format!("{address}: already in use")), "{}", complaint(&second));

    let starved = wasi_http2(&["serve", "--max-memory", "1"]).output().unwrap();
    assert_eq!(complaint(&starved), "wasi-http2: the guest wanted more memory than its limit of 1 MiB\n");

    assert!(complaint(&get(&["http://127.0.0.1:1/"])).contains("connection refused"));
    assert!(
        complaint(&get(&["-o", "/nowhere/file", &server.url("/")])).contains("/nowhere cannot be opened")
    );
}
