//! Recognisable content: byte number i is i modulo 251.

use std::iter;

use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use wasip3::wit_bindgen::StreamWriter;

use crate::exchange::print_line;

/// Size of the chunks in which content is written, in bytes.
const CHUNK: usize = 64 << 10;

/// Writes `first` bytes of content, then as many as are ordered, until the orders end or the client drops its reader.
pub(crate) async fn write(
    id: &str,
    mut writer: StreamWriter<u8>,
    first: usize,
    orders: Option<UnboundedReceiver<usize>>,
) {
    let mut orders = orders.map_or_else(|| iter_none().left_stream(), StreamExt::right_stream);
    let mut written = 0_usize;
    let mut wanted = first;
    loop {
        while written < wanted {
            let chunk = pattern(written, (wanted - written).min(CHUNK));
            let octets = chunk.len();
            let refused = writer.write_all(chunk).await;
            written += octets - refused.len();
            print_line(id, "written", &written.to_string());
            if !refused.is_empty() {
                print_line(id, "unwanted", "");
                return;
            }
        }
        match orders.next().await {
            Some(more) => wanted += more,
            None => return,
        }
    }
}

fn iter_none() -> impl futures::Stream<Item = usize> {
    futures::stream::iter(iter::empty())
}

fn pattern(start: usize, octets: usize) -> Vec<u8> {
    (start..start + octets).map(|number| u8::try_from(number % 251).unwrap_or_default()).collect()
}

/// An incremental hash of content (FNV-1a).
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn add(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.0 = (self.0 ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn hex(&self) -> String {
        format!("{:016x}", self.0)
    }
}
