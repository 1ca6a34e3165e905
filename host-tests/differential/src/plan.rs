//! What is to be said: exchanges made up at random, all of them valid.

use fastrand::Rng;
use http2_engine::Role;

use crate::endpoint::Start;
use crate::message::Fields;

/// A message that is to be sent.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Informational responses before it.
    pub informational: Vec<Fields>,
    /// Its head.
    pub head: Fields,
    /// Octets of content.
    pub content: usize,
    /// Its trailer section.
    pub trailers: Option<Fields>,
}

/// A request and its response.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What the client says.
    pub request: Planned,
    /// What the server answers.
    pub response: Planned,
}

/// All that a conversation consists of, apart from when it happens.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How the client begins.
    pub client: Start,
    /// How the server begins.
    pub server: Start,
    /// What is asked and answered.
    pub exchanges: Vec<Exchange>,
    /// Whether streams are broken off.
    pub resets: bool,
    /// Whether one end shuts the connection down while others are at it.
    pub shut_down: bool,
    /// The largest piece in which octets arrive; 1 for octet by octet.
    pub piece: usize,
}

impl Plan {
    /// Makes one up.
    pub fn new(random: &mut Rng) -> Self {
        let exchanges = 1 + size(random, 25);
        let pieces = [1, 2, 9, 30, 1 << 10, 1 << 20];
        let piece = pieces[random.usize(..pieces.len())];
        // Octet by octet, large messages would take their time and show nothing new.
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

/// A number below `bound`: small ones are as likely as large ones.
pub fn size(random: &mut Rng, bound: usize) -> usize {
    let magnitude = random.u32(..=bound.ilog2());
    random.usize(..=1 << magnitude).min(bound - 1)
}

/// An initial window that lets conversations stop and go.
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
    // What the content would have been (RFC 9110, 8.6).
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

/// Adds fields at random: known names and others, names twice, crumbs of Cookie, values of any octets, empty ones, and
/// at times one that makes the section longer than a frame.
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
        // Not in a trailer section (RFC 9110, 6.5.1); and one is enough (RFC 9110, 11.6.2).
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
            // White space at the ends is not part of a value (RFC 9110, 5.5).
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
