//! The loads, by h2load.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::idle::Idle;
use crate::process::Running;

pub(crate) const MIB: u32 = 1 << 20;

/// A protocol of h2load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// A load, and the unit of its result.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    connections: u32,
    /// Concurrent requests on each connection.
    streams: u32,
    pub(crate) path: &'static str,
    requests: u32,
    /// Further connections, each of which has served a request and is idle.
    idle: u32,
    result: Unit,
}

/// The work of which a result is the CPU time.
#[derive(PartialEq, Eq)]
enum Unit {
    /// A request, in microseconds.
    Request,
    /// A GB of responses, in seconds.
    Down,
    /// A GB of requests, in seconds.
    Up,
}

pub(crate) const LOADS: [Load; 6] = [
    Load {
        name: "100 at once, µs",
        connections: 1,
        streams: 100,
        path: "/",
        requests: 300_000,
        idle: 0,
        result: Unit::Request,
    },
    Load {
        name: "10 × 10, µs",
        connections: 10,
        streams: 10,
        path: "/",
        requests: 300_000,
        idle: 0,
        result: Unit::Request,
    },
    Load {
        name: "one at a time, µs",
        connections: 1,
        streams: 1,
        path: "/",
        requests: 30_000,
        idle: 0,
        result: Unit::Request,
    },
    Load {
        name: "beside 1,000 idle, µs",
        connections: 1,
        streams: 1,
        path: "/",
        requests: 30_000,
        idle: 1_000,
        result: Unit::Request,
    },
    Load {
        name: "1 MiB down, s/GB",
        connections: 1,
        streams: 10,
        path: "/bytes/1048576",
        requests: 2_000,
        idle: 0,
        result: Unit::Down,
    },
    Load {
        name: "1 MiB up, s/GB",
        connections: 1,
        streams: 10,
        path: "/upload",
        requests: 2_000,
        idle: 0,
        result: Unit::Up,
    },
];

impl Load {
    /// Returns whether the load is for this protocol.
    pub(crate) fn is_for(&self, protocol: Protocol) -> bool {
        self.idle == 0 || protocol == Protocol::Http2
    }

    /// Applies the load to a server, and returns the CPU time that it costs.
    pub(crate) fn apply(
        &self,
        protocol: Protocol,
        server: &Running,
        content: &Path,
        quick: bool,
    ) -> Result<f64> {
        let requests = if quick { self.requests / 10 } else { self.requests };
        let mut command = Command::new("taskset");
        command.args(["-c", "1", "h2load", "-n", &requests.to_string()]);
        match protocol {
            Protocol::Http2 => {
                command.args([format!("-c{}", self.connections), format!("-m{}", self.streams)])
            }
            // As many requests at once, with a connection for each.
            Protocol::Http1 => {
                command.args(["--h1".to_owned(), format!("-c{}", self.connections * self.streams)])
            }
        };
        if self.result == Unit::Up {
            command.arg("-d").arg(content);
        }
        let idle = Idle::connect(server.address, self.idle)?;
        let before = server.cpu()?;
        let output = command.arg(format!("http://{}{}", server.address, self.path)).output()?;
        let cpu = (server.cpu()? - before).as_secs_f64();
        drop(idle);
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(
            text.contains(&format!(" {requests} 2xx")),
            "{}: not every request succeeded:\n{text}{}",
            self.name,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(match self.result {
            Unit::Request => cpu * 1e6 / f64::from(requests),
            Unit::Down | Unit::Up => cpu * 1e9 / (f64::from(requests) * f64::from(MIB)),
        })
    }
}
