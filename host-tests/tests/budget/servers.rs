//! Conversations with servers that are components.

use host_tests::guests;
use host_tests::support::metered::{Client, MeteredServer};
use host_tests::support::raw::request;
use http2_test_support::{flag, kind};
use wasi_http2::compose::with_server;
use wasi_http2::{Composition, components};

const MIB: u32 = 1 << 20;
/// The number of small requests in a round.
const REQUESTS: u32 = 100;

/// What a client does.
#[derive(Clone, Copy)]
enum Conversation {
    /// Small requests, so many at a time.
    Small(u32),
    /// Receives 1 MiB in one response.
    Down,
    /// Sends 1 MiB in one request.
    Up,
}

/// Returns the name and the fuel of each conversation.
pub(crate) fn measure() -> Vec<(&'static str, f64)> {
    use Conversation::{Down, Small, Up};
    let serve = MeteredServer::new(&Composition::default().compose(components::ECHO_SERVER).unwrap());
    let http = MeteredServer::new(&with_server(guests::HTTP_SERVICE).unwrap());
    [
        ("fuel of `serve` for a small request, one at a time", &serve, Small(1)),
        ("fuel of `serve` for a small request, 10 at once", &serve, Small(10)),
        ("fuel of `serve` for 1 MiB down", &serve, Down),
        ("fuel of `serve` for 1 MiB up", &serve, Up),
        ("fuel of http2_server.wasm and a handler for a small request, one at a time", &http, Small(1)),
        ("fuel of http2_server.wasm and a handler for a small request, 10 at once", &http, Small(10)),
        ("fuel of http2_server.wasm and a handler for 1 MiB down", &http, Down),
        ("fuel of http2_server.wasm and a handler for 1 MiB up", &http, Up),
    ]
    .map(|(name, server, conversation)| (name, conversation.fuel(server)))
    .into()
}

impl Conversation {
    /// Returns the fuel of a request, without that of starting and ending.
    fn fuel(self, server: &MeteredServer) -> f64 {
        let [one, three] =
            [1, 3].map(|rounds| server.serve(async |client: &mut Client| self.hold(client, rounds).await));
        let requests = if matches!(self, Self::Small(_)) { 2 * REQUESTS } else { 2 };
        (three as f64 - one as f64) / f64::from(requests)
    }

    async fn hold(self, client: &mut Client, rounds: u32) {
        match self {
            Self::Small(at_once) => small(client, rounds * REQUESTS, at_once).await,
            Self::Down => download(client, rounds).await,
            Self::Up => upload(client, rounds).await,
        }
    }
}

/// Returns the identifiers of a client's streams.
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (1..).step_by(2).take(count as usize)
}

/// The flags of a request without content.
const WHOLE: u8 = flag::END_HEADERS | flag::END_STREAM;

async fn small(client: &mut Client, requests: u32, at_once: u32) {
    let streams: Vec<u32> = streams(requests).collect();
    for batch in streams.chunks(at_once as usize) {
        let heads: Vec<_> = batch.iter().map(|&stream| request(stream, "GET", "/", WHOLE)).collect();
        client.send(&heads.concat()).await;
        for _ in batch {
            while !client.frame_of(kind::DATA).await.ends_stream() {}
        }
    }
}

async fn download(client: &mut Client, requests: u32) {
    for stream in streams(requests) {
        client.send(&request(stream, "GET", &format!("/bytes/{MIB}"), WHOLE)).await;
        assert_eq!(client.receive_content(stream).await, MIB);
    }
}

async fn upload(client: &mut Client, requests: u32) {
    for stream in streams(requests) {
        client.send(&request(stream, "POST", "/upload", flag::END_HEADERS)).await;
        client.send_content(stream, MIB).await;
        client.receive_content(stream).await;
    }
}
