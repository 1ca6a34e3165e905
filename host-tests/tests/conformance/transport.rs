//! A socket as the tester's transport.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use http2_conformance::Transport;

/// How long an endpoint may take to send bytes.
///
/// The timeout only guards against hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to an endpoint, and the endpoint's state that must live as long as the connection.
pub(crate) struct Socket {
    stream: Box<dyn ReadWrite>,
    _endpoint: Box<dyn std::any::Any>,
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

impl Socket {
    pub(crate) fn tcp(stream: TcpStream, endpoint: impl std::any::Any) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream: Box::new(stream), _endpoint: Box::new(endpoint) }
    }

    pub(crate) fn unix(stream: UnixStream, endpoint: impl std::any::Any) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream: Box::new(stream), _endpoint: Box::new(endpoint) }
    }
}

impl Transport for Socket {
    fn send(&mut self, octets: &[u8]) {
        // An endpoint that has closed the connection takes no more bytes; those that it sent can still be read.
        _ = self.stream.write_all(octets);
    }

    fn receive(&mut self) -> Result<Vec<u8>, String> {
        let mut octets = vec![0; 64 << 10];
        match self.stream.read(&mut octets) {
            Ok(read) => {
                octets.truncate(read);
                Ok(octets)
            }
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                Ok(Vec::new())
            }
            Err(error) => Err(format!("nothing received: {error}")),
        }
    }
}
