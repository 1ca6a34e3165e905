//! Checks every frame decoder: a decoded frame, encoded and decoded again, is the same.
#![no_main]

use http2_engine::frame::{
    AltSvc, Continuation, FrameHeader, FrameType, GoAwayFrame, HEADER_LEN, Headers, Origin, Ping,
    PriorityFrame, PriorityUpdate, PushPromise, RstStream, SettingsFrame, WindowUpdate, data, flags,
};

/// Decodes a frame; if it is valid, encodes it, compares the result except for padding, and decodes it again.
macro_rules! again {
    ($header:ident, $payload:ident, $read:expr) => {
        if let Some(frame) = $read {
            let mut out = Vec::new();
            frame.encode(&mut out);
            let (header, written) = split(&out);
            if !$header.has(flags::PADDED) {
                assert_eq!(plain(header, written), plain($header, $payload));
            }
            let ($header, $payload) = (header, written);
            assert_eq!($read, Some(frame), "{:?}", $header);
        }
    };
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((octets, payload)) = input.split_first_chunk::<HEADER_LEN>() else { return };
    let header = FrameHeader::parse(octets);
    let mut without_reserved_bit = *octets;
    without_reserved_bit[5] &= 0x7f;
    assert_eq!(header.to_bytes(), without_reserved_bit);
    // Use the length of the payload; otherwise few inputs would be valid frames.
    let header = FrameHeader { length: payload.len() as u32, ..header };
    let sound = header.check(16_384).is_ok();
    match header.kind {
        FrameType::DATA => match data::layout(header, payload.first().copied()) {
            Ok(layout) => assert_eq!(layout.content + layout.padding, header.length),
            Err(_) => assert!(payload.first().is_none_or(|&padding| u32::from(padding) >= header.length)),
        },
        FrameType::HEADERS => again!(header, payload, Headers::parse(header, payload).ok()),
        FrameType::PRIORITY => again!(header, payload, PriorityFrame::parse(header, payload).ok()),
        FrameType::RST_STREAM => again!(header, payload, RstStream::parse(header, payload).ok()),
        FrameType::SETTINGS => match SettingsFrame::parse(header, payload) {
            Ok(settings) => {
                let mut out = Vec::new();
                SettingsFrame::encode(&settings.iter().collect::<Vec<_>>(), &mut out);
                assert_eq!(&out[HEADER_LEN..], payload);
            }
            Err(_) => assert!(!sound),
        },
        FrameType::PUSH_PROMISE => again!(header, payload, PushPromise::parse(header, payload).ok()),
        FrameType::PING => again!(header, payload, Ping::parse(header, payload).ok()),
        FrameType::GOAWAY => again!(header, payload, GoAwayFrame::parse(payload).ok()),
        FrameType::WINDOW_UPDATE => again!(header, payload, WindowUpdate::parse(header, payload).ok()),
        FrameType::CONTINUATION => again!(header, payload, Some(Continuation::parse(header, payload))),
        FrameType::PRIORITY_UPDATE => again!(header, payload, PriorityUpdate::parse(payload).ok()),
        FrameType::ALTSVC => again!(header, payload, AltSvc::parse(header, payload)),
        FrameType::ORIGIN => {
            if let Some(frame) = Origin::parse(header, payload) {
                let origins: Vec<_> = frame.iter().collect();
                let mut out = Vec::new();
                Origin::encode(&origins, &mut out);
                let (header, payload) = split(&out);
                let again = Origin::parse(header, payload).expect("the frame was valid");
                assert_eq!(again.iter().collect::<Vec<_>>(), origins);
            }
        }
        _ => {}
    }
});

/// A payload without the leading bit that is reserved in some frames.
fn plain(header: FrameHeader, payload: &[u8]) -> Vec<u8> {
    let mut payload = payload.to_vec();
    if let FrameType::PUSH_PROMISE
    | FrameType::GOAWAY
    | FrameType::WINDOW_UPDATE
    | FrameType::PRIORITY_UPDATE = header.kind
    {
        payload[0] &= 0x7f;
    }
    payload
}

/// Splits an encoded frame into header and payload.
fn split(octets: &[u8]) -> (FrameHeader, &[u8]) {
    let (header, payload) = octets.split_first_chunk().expect("a header");
    let header = FrameHeader::parse(header);
    assert_eq!(header.length as usize, payload.len());
    (header, payload)
}
