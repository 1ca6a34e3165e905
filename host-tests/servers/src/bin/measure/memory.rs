//! The memory of connections and streams.

use anyhow::Result;

use crate::idle::Idle;
use crate::process::Running;

pub(crate) const IDLE: &str = "idle connection, KiB";
pub(crate) const OPEN: &str = "open stream, KiB";

const CONNECTIONS: u32 = 500;
/// Connections with open streams.
const BUSY: u32 = 100;
/// Open streams on each of them.
const STREAMS: u32 = 100;

/// The memory of a server, in KiB.
pub(crate) struct Memory {
    /// For an idle connection that has served a request.
    pub(crate) idle_connection: f64,
    /// For a stream whose request is incomplete.
    pub(crate) open_stream: f64,
}

/// Measures a server that has served nothing yet.
pub(crate) fn measure(server: &Running) -> Result<Memory> {
    let before = server.memory()?;
    let mut clients = Idle::connect(server.address, CONNECTIONS)?;
    let idle = server.memory()?;
    clients.open_streams(BUSY, STREAMS)?;
    let open = server.memory()?;
    Ok(Memory {
        idle_connection: (idle - before) / f64::from(CONNECTIONS),
        open_stream: (open - idle) / f64::from(BUSY * STREAMS),
    })
}
