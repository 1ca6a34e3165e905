//! The counterpart to the table of attacks: heavy but legal use that has hit limits against attacks
//! elsewhere.

/// A peer (a client, unless the row says otherwise) that obeys the protocol, and must be served as if no
/// limits existed.
#[derive(Clone, Copy, Debug)]
pub struct GoodClient {
    /// Its id in this project.
    pub id: &'static str,
    /// A short name.
    pub name: &'static str,
    /// Its behaviour.
    pub does: &'static str,
    /// The implementations whose limits it has hit: issues and changes as `owner/repository#number`, or
    /// words.
    pub tripped: &'static [&'static str],
    /// The guarantees for this row, in addition to those for all rows.
    pub holds: &'static str,
    /// The name of the test function.
    pub test: &'static str,
}

/// All good clients.
pub const GOOD_CLIENTS: &[GoodClient] = &[
    GoodClient {
        id: "G1",
        name: "A million requests",
        does: "sends 1,000,000 requests on one connection, 100 at a time",
        tripped: &["kubernetes/ingress-nginx#3028", "nginx/kubernetes-ingress#970"],
        holds: "memory grows by at most 256 KiB",
        test: "a_million_requests",
    },
    GoodClient {
        id: "G2",
        name: "A connection open for months",
        does: "keeps a connection open for half a year: one PING per minute, ten requests per hour, and \
               pauses of two weeks",
        tripped: &["grpc/grpc-go#1882"],
        holds: "every PING is answered",
        test: "months_of_life",
    },
    GoodClient {
        id: "G3",
        name: "gRPC in both directions",
        does: "exchanges 50,000 messages of 12 bytes one by one on one stream, and measures the round trip \
               with a PING for each, 5,000 per second",
        tripped: &["grpc/grpc-java#8260", "grpc/grpc-swift-2#5", "amphp/http-server#386"],
        holds: "each message is answered within one round trip",
        test: "tiny_messages_both_ways",
    },
    GoodClient {
        id: "G4",
        name: "gRPC in bulk",
        does: "sends a million messages of 12 bytes on one stream, 100 per round trip",
        tripped: &["hyperium/h2#939"],
        holds: "the window never runs out",
        test: "tiny_messages_in_bulk",
    },
    GoodClient {
        id: "G5",
        name: "gRPC calls",
        does: "makes 50,000 calls, 100 at a time, ending each with an empty DATA frame",
        tripped: &["hyperium/h2#939", "apache/pekko-http#1265"],
        holds: "",
        test: "unary_calls",
    },
    GoodClient {
        id: "G6",
        name: "A server that streams",
        does: "as a server, answers with a million messages of 12 bytes, each in its own DATA frame",
        tripped: &["zcash/lightwalletd#593", "xmtp/libxmtp#4043"],
        holds: "the window never runs out",
        test: "messages_to_a_client",
    },
    GoodClient {
        id: "G7",
        name: "Credit for every message",
        does: "raises the stream and connection windows for each of 1,000 tiny messages, on 20 streams; the \
               credit arrives after the stream has ended",
        tripped: &["envoyproxy/envoy#14924"],
        holds: "",
        test: "credit_for_every_message",
    },
    GoodClient {
        id: "G8",
        name: "Cookies",
        does: "sends 90 crumbs of Cookie with each of 10,000 requests",
        tripped: &["envoyproxy/envoy#45476", "icing/mod_h2#201", "varnish/hitch#352"],
        holds: "",
        test: "cookie_crumbs",
    },
    GoodClient {
        id: "G9",
        name: "Large heads",
        does: "sends 30,000 bytes of fields with each of 3,000 requests, in HEADERS and CONTINUATION",
        tripped: &["limits against CVE-2024-27316 and related attacks"],
        holds: "",
        test: "large_heads",
    },
    GoodClient {
        id: "G10",
        name: "Images that scroll into view",
        does: "changes the priorities of 100 requests twice, on page after page",
        tripped: &["jetty/jetty.project#5528"],
        holds: "",
        test: "reprioritised_images",
    },
    GoodClient {
        id: "G11",
        name: "A request per keystroke",
        does: "replaces its request every 40 ms, cancelling 20,000, and checks by PING whether the server is \
               alive, as Go does",
        tripped: &["golang/go#70575", "golang/go#76296"],
        holds: "the last request is answered",
        test: "cancelled_over_time",
    },
    GoodClient {
        id: "G12",
        name: "A proxy with many clients",
        does: "sends 50,000 requests, 500 per second, and cancels every third",
        tripped: &["jetty/jetty.project#11595"],
        holds: "",
        test: "cancelled_beside_others",
    },
    GoodClient {
        id: "G13",
        name: "A reload storm",
        does: "loads a page of 300 parts, reloads it five times within a second with all 300 requests in \
               flight, and then lets it load",
        tripped: &["vercel-labs/portless#231"],
        holds: "the resets do not add up to abuse",
        test: "reload_storm",
    },
    GoodClient {
        id: "G14",
        name: "A player that seeks",
        does: "cancels 5,000 responses of 16 MiB, each after one window of content, 1,000 per second",
        tripped: &["nghttp2/nghttp2#2597"],
        holds: "each window of content arrives within one round trip",
        test: "cancelled_when_enough_has_come",
    },
    GoodClient {
        id: "G15",
        name: "Refused uploads",
        does: "has a whole window of content in flight, in frames of 100 bytes, when the server answers \
               without reading it",
        tripped: &["nghttp2/nghttp2#2597", "oven-sh/bun#36230"],
        holds: "no RST_STREAM: the content is read and discarded",
        test: "refused_uploads",
    },
    GoodClient {
        id: "G16",
        name: "A service that fails",
        does: "sends 10,000 requests, and the application resets each of them",
        tripped: &["jetty/jetty.project#13807"],
        holds: "no RST_STREAM except the application's",
        test: "service_that_fails",
    },
    GoodClient {
        id: "G17",
        name: "A slow but steady reader",
        does: "reads 1 KiB of a 1 MiB response every 30 seconds, for more than eight hours",
        tripped: &["ballerina-platform/ballerina-library#9033"],
        holds: "the content that the window allows arrives within one round trip",
        test: "slow_but_steady",
    },
    GoodClient {
        id: "G18",
        name: "A download over a long distance",
        does: "reads 64 MiB with windows of 8 MiB and a round trip of 600 ms",
        tripped: &["curl/curl#1102"],
        holds: "eight round trips",
        test: "far_away_with_large_windows",
    },
    GoodClient {
        id: "G19",
        name: "An upload over a long distance",
        does: "sends 64 MiB with a round trip of 600 ms",
        tripped: &["haproxy/haproxy#293", "dotnet/aspnetcore#41825", "h2o/h2o#582"],
        holds: "the windows grow to 4 MiB: 23 round trips",
        test: "uploads_from_far_away",
    },
    GoodClient {
        id: "G20",
        name: "A client of a delayed server",
        does: "acknowledges SETTINGS and opens windows in time, while the server is suspended for an hour, \
               or busy with other connections",
        tripped: &["`wasi-http2 serve` of this project, under h2load with 10 connections at once"],
        holds: "the server does not treat a deadline that the client met as missed",
        test: "delayed_server",
    },
];
