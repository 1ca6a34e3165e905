//! Field blocks that do not depend on each other, and the fields of usual messages.

/// A field block of literals without indexing and without Huffman coding (RFC 7541, 6.2.2).
///
/// It depends on no earlier block, and can express fields that no encoder would produce.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (name, value) in fields {
        octets.extend(literal(name.as_bytes(), value.as_bytes()));
    }
    octets
}

/// One field of a block from [`block`], with arbitrary bytes.
pub fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut octets = vec![0];
    for string in [name, value] {
        integer(&mut octets, 7, 0, string.len());
        octets.extend(string);
    }
    octets
}

/// Appends an integer with a prefix of `prefix` bits; `high` holds the bits above the prefix (RFC 7541, 5.1).
pub fn integer(octets: &mut Vec<u8>, prefix: u32, high: u8, value: usize) {
    let most = (1_usize << prefix) - 1;
    if value < most {
        octets.push(high | u8::try_from(value).expect("less than a prefix"));
        return;
    }
    octets.push(high | u8::try_from(most).expect("a prefix"));
    let mut rest = value - most;
    while rest >= 0x80 {
        octets.push(u8::try_from(rest & 0x7f).expect("seven bits") | 0x80);
        rest >>= 7;
    }
    octets.push(u8::try_from(rest).expect("seven bits"));
}

/// A request without content.
pub const GET: &[(&str, &str)] =
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "localhost")];

/// A request that is answered with a head alone.
pub const HEAD: &[(&str, &str)] =
    &[(":method", "HEAD"), (":scheme", "http"), (":path", "/"), (":authority", "localhost")];

/// A request whose content the server echoes.
pub const POST: &[(&str, &str)] =
    &[(":method", "POST"), (":scheme", "http"), (":path", "/echo"), (":authority", "localhost")];

/// A response.
pub const OK: &[(&str, &str)] = &[(":status", "200")];
