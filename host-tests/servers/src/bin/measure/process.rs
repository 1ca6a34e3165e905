//! The process of a server, and what the operating system says about it.

use std::fs;
use std::io::{self, BufRead, BufReader, PipeReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

use crate::servers::Server;

/// A running server, which ends with this value.
pub(crate) struct Running {
    child: Child,
    clock: ClockId,
    pub(crate) address: SocketAddr,
}

impl Running {
    /// Starts a server on the first core, and waits until it listens.
    pub(crate) fn start(server: &Server) -> Result<Self> {
        let (output, input) = io::pipe()?;
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(&server.program).args(&server.arguments);
        // With it, Wasmtime records the stack for each error of a host call, even for one that the guest expects.
        let child = command
            .env_remove("RUST_BACKTRACE")
            .stdin(std::process::Stdio::piped())
            .stdout(input.try_clone()?)
            .stderr(input)
            .spawn()
            .context("taskset of util-linux is needed")?;
        // It has the writing end of the pipe: without it, the output ends with the process.
        drop(command);
        let clock = clock_getcpuclockid(Pid::from_raw(child.id().try_into()?))?;
        let mut running = Self { child, clock, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        running.address = match server.address {
            Some(address) => address,
            None => read_address(output)?,
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(running.address).is_err() {
            ensure!(Instant::now() < deadline, "the server does not listen on {}", running.address);
            thread::sleep(Duration::from_millis(20));
        }
        Ok(running)
    }

    /// Returns the CPU time of all threads, including those that have ended.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        Ok(self.clock.now()?.into())
    }

    /// Returns the memory that only this process uses, in KiB.
    pub(crate) fn memory(&self) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let line =
            text.lines().find(|line| line.starts_with("Private_Dirty:")).context("no Private_Dirty")?;
        Ok(line.split_whitespace().nth(1).context("no number")?.parse()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the address of 127.0.0.1 that a server prints, and goes on reading its output so that it can write more.
fn read_address(output: PipeReader) -> Result<SocketAddr> {
    let mut output = BufReader::new(output);
    let mut printed = String::new();
    loop {
        let start = printed.len();
        if output.read_line(&mut printed)? == 0 {
            bail!("the server has ended: {printed}");
        }
        if let Some((_, rest)) = printed[start..].split_once("127.0.0.1:") {
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            thread::spawn(move || io::copy(&mut output, &mut io::sink()));
            return Ok(SocketAddr::from(([127, 0, 0, 1], port.parse()?)));
        }
    }
}
