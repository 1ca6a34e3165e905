//! Plans of conversations: random, valid exchanges.

use fastrand::Rng;
use http2_engine::Role;

use crate::endpoint::Start;
use crate::message::Fields;

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The informational responses before the head.
    pub informational: Vec<Fields>,
    /// Its head.
    pub head: Fields,
    /// The length of the content in bytes.
    pub content: usize,
    /// Its trailer section.
    pub trailers: Option<Fields>,
}

/// A request and its response.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The client's message.
    pub request: Planned,
    /// The server's message.
    pub response: Planned,
}

/// Everything in a conversation except its timing.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The initial parameters of the client.
    pub client: Start,
    /// The initial parameters of the server.
    pub server: Start,
    /// The exchanges, in the order of their requests.
    pub exchanges: Vec<Exchange>,
    /// Whether callers reset streams.
    pub resets: bool,
    /// Whether one end shuts the connection down during exchanges.
    pub shut_down: bool,
    /// The largest piece in which bytes arrive; 1 for byte by byte.
    pub piece: usize,
}

impl Plan {
    /// Creates a random plan.
    pub fn new(random: &mut Rng) -> Self {
        let exchanges = 1 + size(random, 25);
        let pieces = [1, 2, 9, 30, 1 << 10, 1 << 20];
        let piece = pieces[random.usize(..pieces.len())];
        // Large messages would take long byte by byte, and show nothing new.
        let most = if piece < 30 { 4 << 10 } else { 80 << 10 };
        Self {
            client: start(Role::Client, random),
            server: start(Role::Server, random),
            exchanges: (0..exchanges).map(|place| exchange(place, most, random)).collect(),
            resets: random.u8(..3) == 0,
            shut_down: random.u8(..4) == 0,
            piece,
        }
    }
}

/// A random number below `bound`, with small numbers as likely as large ones.
pub fn size(random: &mut Rng, bound: usize) -> usize {
    let magnitude = random.u32(..=bound.ilog2());
    random.usize(..=1 << magnitude).min(bound - 1)
}

/// A random initial window, small enough that conversations stall and resume.
pub(crate) fn window(random: &mut Rng) -> u32 {
    match random.u8(..6) {
        0 => 0,
        1 => 65_535,
        _ => u32::try_from(size(random, 1 << 18)).unwrap(),
    }
}

fn start(role: Role, random: &mut Rng) -> Start {
    Start {
        role,
        seed: random.u64(..),
        initial_window_size: window(random),
        max_frame_size: 16_384 + u32::try_from(size(random, 1 << 16)).unwrap(),
        header_table_size: u32::try_from(size(random, 1 << 13)).unwrap(),
        max_concurrent_streams: random.u32(1..30),
        connection_window: 65_535 + u32::try_from(size(random, 1 << 18)).unwrap(),
    }
}

fn exchange(place: usize, most: usize, random: &mut Rng) -> Exchange {
    let method = ["GET", "POST", "PUT", "HEAD"][random.usize(..4)];
    let mut head = Fields::default();
    head.push(":method", method);
    head.push(":scheme", "http");
    head.push(":authority", "example.com");
    head.push(":path", format!("/{place}?{}", word(random)));
    let request = message(head, most, true, random);

    let status = [200, 200, 200, 404, 500, 204, 304][random.usize(..7)];
    let mut head = Fields::default();
    head.push(":status", status.to_string());
    let may_have_content = method != "HEAD" && status != 204 && status != 304;
    let mut response = message(head, most, may_have_content, random);
    // The length that the content of GET would have had (RFC 9110, 8.6).
    if method == "HEAD" && status == 200 && random.bool() {
        response.head.push("content-length", "4711");
    }
    for _ in 0..random.usize(..3) {
        if random.bool() {
            let mut head = Fields::default();
            head.push(":status", if random.bool() { "103" } else { "100" });
            fields(&mut head, random);
            response.informational.push(head);
        }
    }
    Exchange { request, response }
}

fn message(mut head: Fields, most: usize, may_have_content: bool, random: &mut Rng) -> Planned {
    let content = if may_have_content && random.bool() { size(random, most) } else { 0 };
    fields(&mut head, random);
    if may_have_content && random.u8(..3) == 0 {
        head.push("content-length", content.to_string());
    }
    let trailers = (may_have_content && random.u8(..3) == 0).then(|| {
        let mut trailers = Fields::default();
        trailers.push("checksum", word(random));
        fields(&mut trailers, random);
        trailers
    });
    Planned { informational: Vec::new(), head, content, trailers }
}

/// Adds random fields: known and unknown names, repeated names, several Cookie fields, arbitrary bytes in
/// values, empty values, and sometimes a field that makes the section longer than a frame.
fn fields(section: &mut Fields, random: &mut Rng) {
    const NAMES: [&str; 10] = [
        "accept",
        "authorization",
        "cache-control",
        "cookie",
        "user-agent",
        "vary",
        "x-one",
        "x-two",
        "x-a-rather-long-name-that-nobody-else-uses",
        "via",
    ];
    let trailers = section.get("checksum").is_some();
    for _ in 0..size(random, 12) {
        let name = NAMES[random.usize(..NAMES.len())];
        // Not allowed in a trailer section (RFC 9110, 6.5.1), or more than once (RFC 9110, 11.6.2).
        if (trailers && matches!(name, "authorization" | "cookie" | "cache-control"))
            || (matches!(name, "authorization" | "user-agent") && section.get(name).is_some())
        {
            continue;
        }
        section.push(name, value(name, random));
    }
    if random.u8(..30) == 0 {
        section.push("x-large", vec![b'a' + random.u8(..26); 15_000 + random.usize(..6_000)]);
    }
}

fn value(name: &str, random: &mut Rng) -> Vec<u8> {
    match random.u8(..4) {
        0 if name != "cookie" => Vec::new(),
        1 if name.starts_with('x') => {
            let mut octets: Vec<u8> = (0..size(random, 300)).map(|_| random.u8(0x20..)).collect();
            octets.retain(|&octet| octet != 0x7f);
            // White space at either end is not part of a value (RFC 9110, 5.5).
            octets.insert(0, b'<');
            octets.push(b'>');
            octets
        }
        2 => b"the same again".to_vec(),
        _ => word(random).into_bytes(),
    }
}

fn word(random: &mut Rng) -> String {
    (0..1 + size(random, 60)).map(|_| random.alphanumeric()).collect()
}
