//! The parts of a request target: `:scheme`, `:authority` or Host, `:path` (RFC 9113, 8.3.1).

use super::octets;
use crate::error::Malformed;

/// Checks `:scheme`, and returns whether it is "http" or "https".
pub(super) fn check_scheme(scheme: &[u8]) -> Result<bool, Malformed> {
    let is = |known: &[u8]| scheme == known || scheme.eq_ignore_ascii_case(known);
    if is(b"https") || is(b"http") {
        return Ok(true);
    }
    if octets::is_scheme(scheme) { Ok(false) } else { Err(Malformed::Scheme) }
}

/// Checks `:path`, which is absolute, or `*` for OPTIONS.
///
/// It may be empty only if the scheme is neither "http" nor "https".
pub(super) fn check_path(path: &[u8], http: bool, options: bool) -> Result<(), Malformed> {
    let valid = match path {
        [] => !http,
        b"*" => options,
        [b'/', ..] => octets::is_path(path),
        _ => false,
    };
    if valid { Ok(()) } else { Err(Malformed::Path) }
}

/// Checks `:authority` or Host: a host with an optional port, without user information (RFC 9113, 8.3.1).
pub(super) fn check_authority(authority: &[u8]) -> Result<(), Malformed> {
    match split_port(authority) {
        Some(None | Some([])) => Ok(()),
        Some(Some(port)) if is_port(port) => Ok(()),
        _ => Err(Malformed::Authority),
    }
}

/// Checks the `:authority` of CONNECT: a host and a port (RFC 9113, 8.5; RFC 9110, 9.3.6).
pub(super) fn check_connect_authority(authority: &[u8]) -> Result<(), Malformed> {
    match split_port(authority) {
        Some(Some(port)) if is_port(port) => Ok(()),
        _ => Err(Malformed::Connect),
    }
}

/// Returns the bytes after the colon that follows a valid host, if it has one; `None` if the host is invalid.
fn split_port(authority: &[u8]) -> Option<Option<&[u8]>> {
    if octets::is_reg_name(authority) {
        return Some(None);
    }
    let (valid, behind) = if let Some(address) = authority.strip_prefix(b"[") {
        let (address, behind) = split_at(address, b']')?;
        (octets::is_address(address), behind.get(1..)?)
    } else {
        let (name, behind) = split_at(authority, b':').unwrap_or((authority, &[]));
        (octets::is_reg_name(name), behind)
    };
    match behind {
        _ if !valid => None,
        [] => Some(None),
        [b':', port @ ..] => Some(Some(port)),
        _ => None,
    }
}

/// Splits before the first byte equal to `octet`.
fn split_at(octets: &[u8], octet: u8) -> Option<(&[u8], &[u8])> {
    octets.split_at_checked(octets.iter().position(|&candidate| candidate == octet)?)
}

fn is_port(port: &[u8]) -> bool {
    octets::decimal(port).is_some_and(|port| port <= u16::MAX.into())
}
