//! The field names known to the engine by number.

use http::HeaderName;

use super::{
    LineFlags,
    octets::{equal, high_hash},
};

/// Properties of a known name.
struct Known {
    name: Name,
    literal: &'static str,
    flags: LineFlags,
}

/// Declares [`Name`] and the table [`KNOWN`] in the same order.
macro_rules! names {
    ($($name:ident $literal:literal $($flag:ident)*;)+) => {
        /// A field name known by number, or [`Name::SPELLED_OUT`].
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Name {
            /// A name without a number, whose bytes are stored in the section.
            SPELLED_OUT,
            $(
                #[doc = concat!("`", $literal, "`")]
                $name,
            )+
        }

        impl Name {
            /// One more than the highest number.
            pub(crate) const COUNT: usize = [$($literal),+].len() + 1;
        }

        static KNOWN: [Known; Name::COUNT] = [
            Known { name: Name::SPELLED_OUT, literal: "", flags: LineFlags::NONE },
            $(Known { name: Name::$name, literal: $literal, flags: LineFlags::NONE$(.with(LineFlags::$flag))* },)+
        ];

        /// The names as [`HeaderName`] by number, or `None` for pseudo-header fields.
        pub(super) static HEADER_NAMES: [Option<HeaderName>; Name::COUNT] = [None, $(header_name($literal)),+];
    };
}

// The names of the HPACK static table in its order, then others that are common or have a meaning in the engine.
names! {
    AUTHORITY ":authority" PSEUDO CHECKED;
    METHOD ":method" PSEUDO CHECKED;
    PATH ":path" PSEUDO VARYING CHECKED;
    SCHEME ":scheme" PSEUDO CHECKED;
    STATUS ":status" PSEUDO CHECKED;
    ACCEPT_CHARSET "accept-charset";
    ACCEPT_ENCODING "accept-encoding";
    ACCEPT_LANGUAGE "accept-language";
    ACCEPT_RANGES "accept-ranges";
    ACCEPT "accept";
    ACCESS_CONTROL_ALLOW_ORIGIN "access-control-allow-origin";
    AGE "age" VARYING;
    ALLOW "allow";
    AUTHORIZATION "authorization" SECRET;
    CACHE_CONTROL "cache-control";
    CONTENT_DISPOSITION "content-disposition" VARYING;
    CONTENT_ENCODING "content-encoding";
    CONTENT_LANGUAGE "content-language";
    CONTENT_LENGTH "content-length" VARYING CHECKED;
    CONTENT_LOCATION "content-location" VARYING;
    CONTENT_RANGE "content-range" VARYING;
    CONTENT_TYPE "content-type";
    COOKIE "cookie" SECRET;
    DATE "date" VARYING;
    ETAG "etag" VARYING;
    EXPECT "expect";
    EXPIRES "expires" VARYING;
    FROM "from";
    HOST "host" CHECKED;
    IF_MATCH "if-match" VARYING;
    IF_MODIFIED_SINCE "if-modified-since" VARYING;
    IF_NONE_MATCH "if-none-match" VARYING;
    IF_RANGE "if-range" VARYING;
    IF_UNMODIFIED_SINCE "if-unmodified-since" VARYING;
    LAST_MODIFIED "last-modified" VARYING;
    LINK "link";
    LOCATION "location" VARYING;
    MAX_FORWARDS "max-forwards";
    PROXY_AUTHENTICATE "proxy-authenticate";
    PROXY_AUTHORIZATION "proxy-authorization" SECRET;
    RANGE "range" VARYING;
    REFERER "referer";
    REFRESH "refresh";
    RETRY_AFTER "retry-after";
    SERVER "server";
    SET_COOKIE "set-cookie" VARYING;
    STRICT_TRANSPORT_SECURITY "strict-transport-security";
    TRANSFER_ENCODING "transfer-encoding" CONNECTION_SPECIFIC CHECKED;
    USER_AGENT "user-agent";
    VARY "vary";
    VIA "via";
    WWW_AUTHENTICATE "www-authenticate";

    PROTOCOL ":protocol" PSEUDO CHECKED;
    CONNECTION "connection" CONNECTION_SPECIFIC CHECKED;
    KEEP_ALIVE "keep-alive" CONNECTION_SPECIFIC CHECKED;
    PROXY_CONNECTION "proxy-connection" CONNECTION_SPECIFIC CHECKED;
    UPGRADE "upgrade" CONNECTION_SPECIFIC CHECKED;
    TE "te" CHECKED;
    TRAILER "trailer";
    PRIORITY "priority" CHECKED;
    ACCESS_CONTROL_ALLOW_CREDENTIALS "access-control-allow-credentials";
    ACCESS_CONTROL_ALLOW_HEADERS "access-control-allow-headers";
    ACCESS_CONTROL_ALLOW_METHODS "access-control-allow-methods";
    ACCESS_CONTROL_EXPOSE_HEADERS "access-control-expose-headers";
    ACCESS_CONTROL_MAX_AGE "access-control-max-age";
    ACCESS_CONTROL_REQUEST_HEADERS "access-control-request-headers";
    ACCESS_CONTROL_REQUEST_METHOD "access-control-request-method";
    ALT_SVC "alt-svc";
    CACHE_STATUS "cache-status" VARYING;
    CONTENT_SECURITY_POLICY "content-security-policy";
    DNT "dnt";
    EARLY_DATA "early-data";
    FORWARDED "forwarded";
    GRPC_ACCEPT_ENCODING "grpc-accept-encoding";
    GRPC_ENCODING "grpc-encoding";
    GRPC_MESSAGE "grpc-message" VARYING;
    GRPC_STATUS "grpc-status";
    GRPC_STATUS_DETAILS_BIN "grpc-status-details-bin" VARYING;
    GRPC_TIMEOUT "grpc-timeout" VARYING;
    ORIGIN "origin";
    PRAGMA "pragma";
    SEC_CH_UA "sec-ch-ua";
    SEC_CH_UA_MOBILE "sec-ch-ua-mobile";
    SEC_CH_UA_PLATFORM "sec-ch-ua-platform";
    SEC_FETCH_DEST "sec-fetch-dest";
    SEC_FETCH_MODE "sec-fetch-mode";
    SEC_FETCH_SITE "sec-fetch-site";
    SEC_FETCH_USER "sec-fetch-user";
    SERVER_TIMING "server-timing" VARYING;
    TIMING_ALLOW_ORIGIN "timing-allow-origin";
    TRACEPARENT "traceparent" VARYING;
    TRACESTATE "tracestate" VARYING;
    UPGRADE_INSECURE_REQUESTS "upgrade-insecure-requests";
    X_CACHE "x-cache";
    X_CONTENT_TYPE_OPTIONS "x-content-type-options";
    X_FORWARDED_FOR "x-forwarded-for";
    X_FORWARDED_HOST "x-forwarded-host";
    X_FORWARDED_PROTO "x-forwarded-proto";
    X_FRAME_OPTIONS "x-frame-options";
    X_POWERED_BY "x-powered-by";
    X_REAL_IP "x-real-ip";
    X_REQUEST_ID "x-request-id" VARYING;
    X_REQUESTED_WITH "x-requested-with";
    X_XSS_PROTECTION "x-xss-protection";
}

const fn header_name(literal: &'static str) -> Option<HeaderName> {
    if matches!(literal.as_bytes(), [b':', ..]) { None } else { Some(HeaderName::from_static(literal)) }
}

/// The size of [`SLOTS`], large enough to find a seed without collisions soon.
const SLOT_COUNT: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 10;

/// A perfect hash of the known names: the seed, and the only candidate for each hash.
#[allow(clippy::indexing_slicing, reason = "computed at compile time")]
const SEED_AND_SLOTS: (u64, [Name; SLOT_COUNT]) = {
    let mut seed = 0;
    'seeds: loop {
        let mut slots = [Name::SPELLED_OUT; SLOT_COUNT];
        let mut number = 1;
        while number < Name::COUNT {
            let slot = slot(seed, KNOWN[number].literal.as_bytes());
            if slots[slot].is_known() {
                seed += 1;
                continue 'seeds;
            }
            slots[slot] = KNOWN[number].name;
            number += 1;
        }
        break (seed, slots);
    }
};

const SEED: u64 = SEED_AND_SLOTS.0;
static SLOTS: [Name; SLOT_COUNT] = SEED_AND_SLOTS.1;

const fn slot(seed: u64, name: &[u8]) -> usize {
    (high_hash(seed, name) >> (u64::BITS - SLOT_BITS)) as usize
}

impl Name {
    /// Looks up a name. Returns [`Self::SPELLED_OUT`] if it has no number.
    #[inline]
    pub(crate) fn of(literal: &[u8]) -> Self {
        let candidate = SLOTS.get(slot(SEED, literal)).copied().unwrap_or(Self::SPELLED_OUT);
        if equal(candidate.as_bytes(), literal) { candidate } else { Self::SPELLED_OUT }
    }

    /// Returns whether the name has a number.
    #[inline]
    pub(crate) const fn is_known(self) -> bool {
        !matches!(self, Self::SPELLED_OUT)
    }

    /// Returns the number, which is below [`Self::COUNT`].
    #[inline]
    pub(crate) const fn number(self) -> usize {
        self as usize
    }

    /// Returns the name as a string, empty for a spelled-out name.
    #[inline]
    pub(crate) const fn as_str(self) -> &'static str {
        self.known().literal
    }

    /// Returns the name as bytes, empty for a spelled-out name.
    #[inline]
    pub(crate) const fn as_bytes(self) -> &'static [u8] {
        self.as_str().as_bytes()
    }

    /// Returns the flags of each line with this name.
    #[inline]
    pub(crate) const fn flags(self) -> LineFlags {
        self.known().flags
    }

    #[inline]
    #[allow(clippy::indexing_slicing, reason = "the table has an entry for each number")]
    const fn known(self) -> &'static Known {
        &KNOWN[self.number()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::chars;

    fn all_names() -> impl Iterator<Item = Name> {
        KNOWN.iter().skip(1).map(|known| known.name)
    }

    #[test]
    fn every_known_name_is_found() {
        assert_eq!(all_names().count(), Name::COUNT - 1);
        for name in all_names() {
            assert_eq!(Name::of(name.as_bytes()), name, "{}", name.as_str());
            assert!(chars::is_name(name.as_bytes()), "{}", name.as_str());
            assert_eq!(name.flags().has(LineFlags::PSEUDO), name.as_str().starts_with(':'));
        }
    }

    #[test]
    fn other_names_are_spelled_out() {
        for name in ["", ":", "t", "TE", "te ", "x-unknown", ":methods", "grpc-statut"] {
            assert_eq!(Name::of(name.as_bytes()), Name::SPELLED_OUT, "{name}");
        }
        assert_eq!(Name::SPELLED_OUT.flags(), LineFlags::NONE);
    }

    #[test]
    fn connection_specific_fields_match_the_rfc() {
        let is_specific = |name: &Name| name.flags().has(LineFlags::CONNECTION_SPECIFIC);
        let names: Vec<_> = all_names().filter(is_specific).map(Name::as_str).collect();
        assert_eq!(names, ["transfer-encoding", "connection", "keep-alive", "proxy-connection", "upgrade"]);
    }
}
