//! Processes with a deadline, and servers whose output is read while they run.
//!
//! Unlike those of `host_tests::support`, they report failures as errors, so that a run of hours goes on with the next
//! case, and keep only the beginning of an output.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// The most bytes of output kept; the rest is only counted.
const KEPT: usize = 64 << 10;

/// The time for a server to listen, and to end when told to.
const PATIENCE: Duration = Duration::from_secs(60);

/// The time for a dropped server to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// A finished process.
#[derive(Debug)]
pub(crate) struct Output {
    /// Whether the exit code is 0.
    pub(crate) is_success: bool,
    /// The first [`KEPT`] bytes of standard output.
    pub(crate) stdout: String,
    /// The total length of standard output.
    pub(crate) stdout_bytes: u64,
    /// The first [`KEPT`] bytes of standard error.
    pub(crate) stderr: String,
}

impl Output {
    /// Fails unless the exit code is 0.
    pub(crate) fn success(self) -> Result<Self> {
        if !self.is_success {
            bail!("{}{}", self.stderr, self.stdout);
        }
        Ok(self)
    }
}

/// Runs a command to its end without input; after the deadline, kills it, and returns an error.
pub(crate) fn run(command: &mut Command, deadline: Duration) -> Result<Output> {
    let mut child = spawn(command.stdin(Stdio::null()))?;
    let stdout = read_all(child.stdout.take().context("no standard output")?);
    let stderr = read_all(child.stderr.take().context("no standard error")?);
    let status = wait(&mut child, deadline)?;
    if status.is_none() {
        child.kill()?;
        child.wait()?;
    }
    let ((stdout, stdout_bytes), (stderr, _)) = (join(stdout), join(stderr));
    let Some(status) = status else {
        bail!("no end within {} s: {stderr}{stdout}", deadline.as_secs());
    };
    Ok(Output { is_success: status.success(), stdout, stdout_bytes, stderr })
}

/// Runs a command for some time, and then kills it; returns an error if it ended earlier.
pub(crate) fn run_and_kill(command: &mut Command, time: Duration) -> Result<()> {
    let mut child = spawn(command.stdin(Stdio::null()))?;
    let stdout = read_all(child.stdout.take().context("no standard output")?);
    let stderr = read_all(child.stderr.take().context("no standard error")?);
    let status = wait(&mut child, time)?;
    child.kill()?;
    child.wait()?;
    let ((stdout, _), (stderr, _)) = (join(stdout), join(stderr));
    if status.is_some() {
        bail!("the command ended before it was killed: {stderr}{stdout}");
    }
    Ok(())
}

/// A server that runs until it is stopped or dropped.
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Server {
    /// Starts a server, and waits for a line that `told` recognises; returns the value that `told` derives
    /// from it.
    pub(crate) fn start<T>(command: &mut Command, told: impl Fn(&str) -> Option<T>) -> Result<(Self, T)> {
        let server = Self::start_silent(command)?;
        let (started, mut said) = (Instant::now(), String::new());
        loop {
            match server.lines.recv_timeout(PATIENCE.saturating_sub(started.elapsed())) {
                Ok(line) => match told(&line) {
                    Some(told) => return Ok((server, told)),
                    None => said = said + &line + "\n",
                },
                Err(RecvTimeoutError::Disconnected) => bail!("the server ended before it listened: {said}"),
                Err(RecvTimeoutError::Timeout) => {
                    bail!("the server did not listen within {} s: {said}", PATIENCE.as_secs())
                }
            }
        }
    }

    /// Starts a server that does not report when it listens.
    pub(crate) fn start_silent(command: &mut Command) -> Result<Self> {
        let mut child = spawn(command.stdin(Stdio::piped()))?;
        let (sender, lines) = mpsc::channel();
        read_lines(child.stdout.take().context("no standard output")?, sender.clone());
        read_lines(child.stderr.take().context("no standard error")?, sender);
        Ok(Self { stdin: child.stdin.take(), child, lines })
    }

    /// Returns the lines of both outputs since the last call.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    /// Whether the process is running.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Interrupts the server, closes its input, and waits for its end; returns whether the exit code is 0.
    pub(crate) fn stop(mut self) -> Result<bool> {
        drop(self.stdin.take());
        kill_process(Pid::from_child(&self.child), Signal::INT)?;
        match wait(&mut self.child, PATIENCE)? {
            Some(status) => Ok(status.success()),
            None => bail!("the server did not end within {} s of an interrupt", PATIENCE.as_secs()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server with several processes ends the others if it is interrupted, but not if it is killed. All
        // may have ended already.
        drop(self.stdin.take());
        _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        _ = wait(&mut self.child, GRACE);
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn spawn(command: &mut Command) -> Result<Child> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().with_context(|| format!("{} cannot be started", command.get_program().display()))
}

/// Waits for the end of a process; returns `None` after the deadline.
fn wait(child: &mut Child, deadline: Duration) -> Result<Option<std::process::ExitStatus>> {
    let started = Instant::now();
    loop {
        match child.try_wait()? {
            None if started.elapsed() < deadline => thread::sleep(Duration::from_millis(5)),
            status => return Ok(status),
        }
    }
}

/// Reads an output to its end; returns its beginning and its length.
fn read_all(mut output: impl Read + Send + 'static) -> JoinHandle<(Vec<u8>, u64)> {
    thread::spawn(move || {
        let (mut kept, mut length, mut buffer) = (Vec::new(), 0, vec![0; KEPT]);
        while let Ok(count @ 1..) = output.read(&mut buffer) {
            length += count as u64;
            kept.extend_from_slice(&buffer[..count.min(KEPT - kept.len())]);
        }
        (kept, length)
    })
}

fn join(output: JoinHandle<(Vec<u8>, u64)>) -> (String, u64) {
    let (kept, length) = output.join().expect("the reader does not panic");
    (String::from_utf8_lossy(&kept).into_owned(), length)
}

fn read_lines(output: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while let Ok(1..) = output.read_until(b'\n', &mut line) {
            // Once the server is dropped, nobody receives the lines.
            _ = lines.send(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    });
}
