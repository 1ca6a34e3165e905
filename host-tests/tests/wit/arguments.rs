//! Random arguments, valid and invalid.

use http2_simulation::Random;

use crate::host::bindings::exports::http2::engine::connection::AltSvc;
use crate::host::bindings::http2::engine::types::{
    Fields, Method, Priority, RequestExtras, RequestHead, ResponseHead, Scheme, Setting,
};

/// Returns zero, one, a small number, or a number at which something may overflow.
pub(crate) fn number(random: &mut Random) -> u32 {
    let number = random.size_u32(1 << 20);
    random.pick(&[0, 1, 100, 16_384, 65_535, 0x7fff_ffff, 0x8000_0000, u32::MAX, number, number, number])
}

/// Returns a duration in nanoseconds, or `None` for no limit.
pub(crate) fn timeout(random: &mut Random) -> Option<u64> {
    let some = u64::from(number(random)) << random.below(30);
    random.pick(&[None, Some(0), Some(1), Some(u64::MAX), Some(some), Some(some)])
}

/// Returns no bytes, a few, or many.
pub(crate) fn octets(random: &mut Random) -> Vec<u8> {
    vec![random.below(256) as u8; random.size(1 << 17)]
}

/// Returns a word that may or may not be valid as a name, a method or an authority.
fn word(random: &mut Random) -> String {
    let long = "x".repeat(random.size(20_000));
    let words =
        ["", "x-any", "X-Upper", ":path", "a b", "é", "connection", "te", "host", "example.com", &long];
    random.pick(&words).to_owned()
}

/// Returns fields, in one of four cases possibly invalid ones.
pub(crate) fn fields(random: &mut Random) -> Fields {
    let well = !random.one_in(4);
    let mut fields = Fields::new();
    for _ in 0..random.size(6) {
        let (name, value) = if well {
            (random.pick(&["x-one", "accept", "cookie", "via"]).to_owned(), b"value".to_vec())
        } else {
            (word(random), random.pick(&[&b""[..], b" x", b"\0", b"5", b"trailers", "ü".as_bytes()]).to_vec())
        };
        fields.push((name, value));
    }
    fields
}

/// Returns the head of a request, in one of four cases possibly an invalid one.
pub(crate) fn request(random: &mut Random) -> RequestHead {
    let well = !random.one_in(4);
    let mut head = RequestHead {
        method: Method::Post,
        scheme: Some(Scheme::Http),
        authority: Some("example.com".to_owned()),
        path_with_query: Some("/path?query".to_owned()),
        headers: fields(random),
    };
    if !well {
        head.method = match random.below(5) {
            0 => Method::Connect,
            1 => Method::Head,
            2 => Method::Options,
            3 => Method::Other(word(random)),
            _ => Method::Get,
        };
        head.scheme = random.one_in(2).then(|| Scheme::Other(word(random)));
        head.authority = random.one_in(2).then(|| word(random));
        head.path_with_query = random.one_in(2).then(|| word(random));
    }
    head
}

/// Returns the rare properties of a request.
pub(crate) fn extras(random: &mut Random) -> RequestExtras {
    let protocol = random.one_in(4).then(|| word(random));
    RequestExtras { protocol, never_indexed: vec![word(random)] }
}

/// Returns the head of a response, with a valid or an invalid status.
pub(crate) fn response(random: &mut Random) -> ResponseHead {
    let status = random.pick(&[200, 200, 200, 204, 304, 100, 103, 101, 0, 99, 1_000, 65_535]);
    ResponseHead { status, headers: fields(random) }
}

/// Returns known and unknown settings.
pub(crate) fn settings(random: &mut Random) -> Vec<Setting> {
    (0..random.size(5)).map(|_| (random.below(11) as u16, number(random))).collect()
}

pub(crate) fn priority(random: &mut Random) -> Priority {
    Priority { urgency: random.below(10) as u8, incremental: random.one_in(2) }
}

pub(crate) fn alt_svc(random: &mut Random) -> AltSvc {
    AltSvc { stream_id: number(random), origin: octets(random), value: b"h2".to_vec() }
}
