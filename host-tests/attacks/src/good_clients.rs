//! The reverse table: heavy use that is legal, and that limits against attacks have hurt elsewhere.

/// A client that keeps to the rules (or a server, where it says so), and has to be served as if there were no limits.
#[derive(Clone, Copy, Debug)]
pub struct GoodClient {
    /// Its name in this project.
    pub id: &'static str,
    /// What it is.
    pub name: &'static str,
    /// What it does.
    pub does: &'static str,
    /// Whose limits it has run into: issues and changes as `owner/repository#number`, or words.
    pub tripped: &'static [&'static str],
    /// What has to hold, besides what has to hold for all of them.
    pub holds: &'static str,
    /// The function of the test.
    pub test: &'static str,
}

/// All good clients.
pub const GOOD_CLIENTS: &[GoodClient] = &[
    GoodClient {
        id: "G1",
        name: "A million requests",
        does: "sends 1,000,000 requests on one connection, 100 at a time",
        tripped: &["kubernetes/ingress-nginx#3028", "nginx/kubernetes-ingress#970"],
        holds: "memory grows by 256 KiB at the most",
        test: "a_million_requests",
    },
    GoodClient {
        id: "G2",
        name: "Months of life",
        does: "keeps a connection for half a year: a PING a minute, ten requests an hour, and holidays of two weeks",
        tripped: &["grpc/grpc-go#1882"],
        holds: "every PING is answered",
        test: "months_of_life",
    },
    GoodClient {
        id: "G3",
        name: "gRPC in both directions",
        does: "exchanges 50,000 messages of 12 octets one by one on a stream, and measures the way with a PING for each, \
               5,000 a second",
        tripped: &["grpc/grpc-java#8260", "grpc/grpc-swift-2#5", "amphp/http-server#386"],
        holds: "each message is answered in its round trip",
        test: "tiny_messages_both_ways",
    },
    GoodClient {
        id: "G4",
        name: "gRPC in bulk",
        does: "sends a million messages of 12 octets on a stream, 100 in a round trip",
        tripped: &["hyperium/h2#939"],
        holds: "the window never runs out",
        test: "tiny_messages_in_bulk",
    },
    GoodClient {
        id: "G5",
        name: "gRPC calls",
        does: "makes 50,000 calls, 100 at a time, the end of each in an empty DATA frame",
        tripped: &["hyperium/h2#939", "apache/pekko-http#1265"],
        holds: "",
        test: "unary_calls",
    },
    GoodClient {
        id: "G6",
        name: "A server that streams",
        does: "as a server, answers with a million messages of 12 octets, each in a DATA frame of its own",
        tripped: &["zcash/lightwalletd#593", "xmtp/libxmtp#4043"],
        holds: "the window never runs out",
        test: "messages_to_a_client",
    },
    GoodClient {
        id: "G7",
        name: "Credit for every message",
        does: "raises the windows of stream and connection for each of 1,000 tiny messages, which arrives when the \
               stream is over; 20 streams",
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
        does: "sends 30,000 octets of fields with each of 3,000 requests, in HEADERS and CONTINUATION",
        tripped: &["limits against CVE-2024-27316 and its kin"],
        holds: "",
        test: "large_heads",
    },
    GoodClient {
        id: "G10",
        name: "Images that come into view",
        does: "changes the priorities of 100 requests twice, page after page",
        tripped: &["jetty/jetty.project#5528"],
        holds: "",
        test: "reprioritised_images",
    },
    GoodClient {
        id: "G11",
        name: "A request for each letter",
        does: "cancels 20,000 requests, one every 40 ms for the next one, and asks with PING whether the server is there, \
               as Go does",
        tripped: &["golang/go#70575", "golang/go#76296"],
        holds: "the last one is answered",
        test: "cancelled_over_time",
    },
    GoodClient {
        id: "G12",
        name: "A proxy with many clients",
        does: "sends 50,000 requests, 500 a second, and cancels every third",
        tripped: &["jetty/jetty.project#11595"],
        holds: "",
        test: "cancelled_beside_others",
    },
    GoodClient {
        id: "G13",
        name: "A reload storm",
        does: "loads a page of 300 parts, reloads it five times in a second with all 300 requests in flight, and then \
               lets it load",
        tripped: &["vercel-labs/portless#231"],
        holds: "the early resets are paid off soon",
        test: "reload_storm",
    },
    GoodClient {
        id: "G14",
        name: "A player that seeks",
        does: "cancels 5,000 responses of 16 MiB when a window of each has come, a thousand a second",
        tripped: &["nghttp2/nghttp2#2597"],
        holds: "each window comes in its round trip",
        test: "cancelled_when_enough_has_come",
    },
    GoodClient {
        id: "G15",
        name: "Uploads that nobody wants",
        does: "has a whole window of content under way, in frames of 100 octets, when the server has answered and wants \
               no more",
        tripped: &["nghttp2/nghttp2#2597", "oven-sh/bun#36230"],
        holds: "no RST_STREAM: the content is read and dropped",
        test: "refused_uploads",
    },
    GoodClient {
        id: "G16",
        name: "A service that fails",
        does: "sends 10,000 requests, each of which the application resets",
        tripped: &["jetty/jetty.project#13807"],
        holds: "no RST_STREAM but those of the application",
        test: "service_that_fails",
    },
    GoodClient {
        id: "G17",
        name: "A slow but steady reader",
        does: "reads a response of 1 MiB at 1 KiB every 30 seconds, for more than eight hours",
        tripped: &["ballerina-platform/ballerina-library#9033"],
        holds: "what the window lets through comes in its round trip",
        test: "slow_but_steady",
    },
    GoodClient {
        id: "G18",
        name: "A download from far away",
        does: "reads 64 MiB with windows of 8 MiB and a round trip of 600 ms",
        tripped: &["curl/curl#1102"],
        holds: "eight round trips",
        test: "far_away_with_large_windows",
    },
    GoodClient {
        id: "G19",
        name: "An upload from far away",
        does: "sends 64 MiB with a round trip of 600 ms",
        tripped: &["haproxy/haproxy#293", "dotnet/aspnetcore#41825", "h2o/h2o#582"],
        holds: "the windows grow to 4 MiB: 23 round trips",
        test: "uploads_from_far_away",
    },
    GoodClient {
        id: "G20",
        name: "A client of a server that was held up",
        does: "acknowledges SETTINGS and opens windows in time, while the server is suspended for an hour, or busy with \
               others",
        tripped: &["`wasi-http2 serve` of this project, under h2load with 10 connections at once"],
        holds: "no deadline is missed that was kept",
        test: "server_that_was_held_up",
    },
];
