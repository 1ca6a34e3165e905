//! Processes that end with the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::DEADLINE;

/// How a process has ended, and what it wrote.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Finished {
    /// Wants success, and gives what stands on standard output.
    #[track_caller]
    pub(crate) fn content(self) -> Vec<u8> {
        assert_eq!(self.code, Some(0), "{}{}", String::from_utf8_lossy(&self.stdout), self.stderr);
        self.stdout
    }

    /// Wants success and text.
    #[track_caller]
    pub(crate) fn text(self) -> String {
        String::from_utf8(self.content()).expect("text")
    }

    /// Wants failure, told in one sentence, as a person is told it.
    #[track_caller]
    pub(crate) fn complaint(&self) -> &str {
        assert!(self.code.is_some_and(|code| code != 0), "exit code {:?}", self.code);
        let sentence = self.stderr.strip_suffix('\n').expect("an error that is told");
        assert_eq!(sentence.lines().count(), 1, "{sentence}");
        for crash in ["panicked", "backtrace", "trapped", "unreachable"] {
            assert!(!sentence.contains(crash), "{sentence}");
        }
        sentence
    }
}

/// Runs a command to its end, with nothing on its standard input.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Finished {
    run_with_input(command, Vec::new())
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run_with_input(command: &mut Command, input: Vec<u8>) -> Finished {
    let mut process = Process::start(command);
    process.write(input);
    process.finish()
}

/// A process that runs, until it is dropped at the latest. Its output is kept.
pub(crate) struct Process {
    child: Child,
    name: String,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Process {
    /// Starts a command whose standard input is open until [`write`](Self::write) or [`finish`](Self::finish).
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = Self::spawn(command);
        process.stdout = process.child.stdout.take().map(collect);
        process.stderr = process.child.stderr.take().map(collect);
        process
    }

    /// Starts a server, and waits until it tells its URL on the first line.
    #[track_caller]
    pub(crate) fn start_listening(command: &mut Command) -> (Self, String) {
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

    /// Starts a server, and waits until a line of its standard error says, after `prefix`, where it listens.
    #[track_caller]
    pub(crate) fn start_telling(command: &mut Command, prefix: &str) -> (Self, String) {
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

    /// Starts a command, and waits until there is something on its standard output.
    #[track_caller]
    pub(crate) fn start_writing(command: &mut Command) -> Self {
        let mut process = Self::spawn(command);
        process.stderr = process.child.stderr.take().map(collect);
        let mut stdout = BufReader::new(process.child.stdout.take().unwrap());
        let nothing = stdout.fill_buf().unwrap().is_empty();
        process.stdout = Some(collect(stdout));
        assert!(!nothing, "nothing is written: {:?}", process.kill_and_finish());
        process
    }

    /// Starts a command whose output nobody reads yet.
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

    /// Writes its standard input in the background, and ends it.
    pub(crate) fn write(&mut self, input: Vec<u8>) {
        let mut stdin = self.child.stdin.take().expect("standard input is written once");
        // A process need not read all of its input.
        thread::spawn(move || _ = stdin.write_all(&input));
    }

    /// The number of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// What Ctrl-C does in a terminal.
    pub(crate) fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// What an orchestrator does to end it.
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Waits until it ends by itself.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Finished {
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
        // It may have ended, which is all that is wanted.
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
        // As above.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Reads an output to its end, so that no process waits for a reader.
fn collect(mut output: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut octets = Vec::new();
        output.read_to_end(&mut octets).unwrap();
        octets
    })
}
