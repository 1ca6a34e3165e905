//! Processes that end with their test.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::DEADLINE;

/// The exit code and the output of a process.
#[derive(Debug)]
pub struct Finished {
    /// The exit code, or `None` if a signal ended the process.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: String,
}

impl Finished {
    /// Asserts success, and returns the standard output.
    #[track_caller]
    pub fn content(self) -> Vec<u8> {
        assert_eq!(self.code, Some(0), "{}{}", String::from_utf8_lossy(&self.stdout), self.stderr);
        self.stdout
    }

    /// Asserts success, and returns the standard output as text.
    #[track_caller]
    pub fn text(self) -> String {
        String::from_utf8(self.content()).expect("the output is not UTF-8")
    }

    /// Asserts failure with an error message of one line that a user can read, and returns it.
    #[track_caller]
    pub fn error_line(&self) -> &str {
        assert!(self.code.is_some_and(|code| code != 0), "exit code {:?}", self.code);
        let sentence = self.stderr.strip_suffix('\n').expect("no error message");
        assert_eq!(sentence.lines().count(), 1, "{sentence}");
        for crash in ["panicked", "backtrace", "trapped", "unreachable"] {
            assert!(!sentence.contains(crash), "{sentence}");
        }
        sentence
    }
}

/// Runs a command to its end, with empty standard input.
#[track_caller]
pub fn run(command: &mut Command) -> Finished {
    run_with_input(command, Vec::new())
}

/// Runs a command to its end.
#[track_caller]
pub fn run_with_input(command: &mut Command, input: Vec<u8>) -> Finished {
    let mut process = Process::start(command);
    process.write(input);
    process.finish()
}

/// A running process, which is killed on drop.
///
/// Its output is collected.
pub struct Process {
    child: Child,
    name: String,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Process {
    /// Starts a command whose standard input stays open until [`write`](Self::write) or [`finish`](Self::finish).
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let mut process = Self::spawn(command);
        process.stdout = process.child.stdout.take().map(collect);
        process.stderr = process.child.stderr.take().map(collect);
        process
    }

    /// Starts a server, and waits until it prints its URL on the first line.
    #[track_caller]
    pub fn start_listening(command: &mut Command) -> (Self, String) {
        let mut process = Self::spawn(command);
        process.stderr = process.child.stderr.take().map(collect);
        let mut stdout = BufReader::new(process.child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        process.stdout = Some(collect(stdout));
        let Some(url) = line.trim_end().strip_prefix("listening on ") else {
            panic!("the server does not listen: {line:?}, {:?}", process.kill_and_finish());
        };
        (process, url.to_owned())
    }

    /// Starts a server, and waits until a line of its standard error contains, after `prefix`, its address.
    #[track_caller]
    pub fn start_and_read_line(command: &mut Command, prefix: &str) -> (Self, String) {
        let mut process = Self::spawn(command);
        let mut stderr = BufReader::new(process.child.stderr.take().unwrap());
        let mut before = String::new();
        let address = loop {
            let mut line = String::new();
            if stderr.read_line(&mut line).unwrap() == 0 {
                panic!("the server does not listen: {before}{:?}", process.kill_and_finish());
            }
            if let Some(address) = line.trim_end().strip_prefix(prefix) {
                break address.to_owned();
            }
            before += &line;
        };
        process.stderr = Some(collect(stderr));
        process.stdout = process.child.stdout.take().map(collect);
        (process, address)
    }

    /// Starts a command, and waits until it writes to its standard output.
    #[track_caller]
    pub fn start_writing(command: &mut Command) -> Self {
        let mut process = Self::spawn(command);
        process.stderr = process.child.stderr.take().map(collect);
        let mut stdout = BufReader::new(process.child.stdout.take().unwrap());
        let nothing = stdout.fill_buf().unwrap().is_empty();
        process.stdout = Some(collect(stdout));
        assert!(!nothing, "nothing is written: {:?}", process.kill_and_finish());
        process
    }

    /// Starts a command, without collecting its output yet.
    #[track_caller]
    fn spawn(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { child, name, stdout: None, stderr: None }
    }

    /// Writes the standard input in the background, and closes it.
    pub fn write(&mut self, input: Vec<u8>) {
        let mut stdin = self.child.stdin.take().expect("standard input was written before");
        // An error means that the process has not read all of its input, which is allowed.
        thread::spawn(move || _ = stdin.write_all(&input));
    }

    /// Returns the process identifier.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns whether the process has exited.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Sends SIGINT, as Ctrl-C does in a terminal.
    pub fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// Sends SIGTERM, as an orchestrator does.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Waits until the process exits.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        drop(self.child.stdin.take());
        let started = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if started.elapsed() > DEADLINE {
                let killed = self.kill_and_finish();
                panic!("{} hangs: {}", self.name, killed.stderr);
            }
            thread::sleep(Duration::from_millis(2));
        }
        self.kill_and_finish()
    }

    fn kill_and_finish(&mut self) -> Finished {
        // An error means that the process has already exited.
        _ = self.child.kill();
        let code = self.child.wait().unwrap().code();
        let join = |output: &mut Option<JoinHandle<Vec<u8>>>| {
            output.take().map(|output| output.join().unwrap()).unwrap_or_default()
        };
        let stdout = join(&mut self.stdout);
        let stderr = String::from_utf8_lossy(&join(&mut self.stderr)).into_owned();
        Finished { code, stdout, stderr }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Errors are ignored as in `kill_and_finish`.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Reads an output to its end, so that the process never blocks on a full pipe.
fn collect(mut output: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut octets = Vec::new();
        output.read_to_end(&mut octets).unwrap();
        octets
    })
}
