//! Tests of each frame type's encoding, of the rules for frame headers, of third-party cases, and that no input
//! makes a parser panic.

mod cases;

use super::*;
use crate::error::{ErrorCode, Scope, Violation};

const MAX_FRAME_SIZE: u32 = 16_384;

fn id(id: u32) -> StreamId {
    StreamId::new(id).unwrap()
}

fn header(kind: FrameType, flags: u8, stream_id: u32, length: u32) -> FrameHeader {
    FrameHeader { length, kind, flags, stream_id: id(stream_id) }
}

/// Splits a frame into header and payload, checking the header against the payload's length.
fn split(frame: &[u8]) -> (FrameHeader, &[u8]) {
    let (octets, payload) = frame.split_first_chunk().unwrap();
    let header = FrameHeader::parse(octets);
    assert_eq!(header.to_bytes(), *octets);
    assert_eq!(header.length as usize, payload.len());
    assert_eq!(header.check(MAX_FRAME_SIZE), Ok(()));
    (header, payload)
}

fn encoded(encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out);
    out
}

#[test]
fn headers() {
    let wire = b"\0\0\x03\x01\x05\0\0\0\x03\x82\x86\x84";
    let (header, payload) = split(wire);
    let frame = Headers::parse(header, payload).unwrap();
    let expected = Headers {
        stream_id: id(3),
        end_stream: true,
        end_headers: true,
        dependency: None,
        fragment: b"\x82\x86\x84",
    };
    assert_eq!(frame, expected);
    assert_eq!(encoded(|out| frame.encode(out)), wire);
}

#[test]
fn headers_with_dependency_and_padding() {
    let wire = b"\0\0\x09\x01\x28\0\0\0\x05\x02\x80\0\0\x05\xff\x82\0\0";
    let (header, payload) = split(wire);
    let frame = Headers::parse(header, payload).unwrap();
    let dependency = StreamDependency { exclusive: true, stream_id: id(5), weight: 255 };
    assert_eq!(frame.dependency, Some(dependency));
    assert_eq!(frame.fragment, b"\x82", "the block must still be decoded");
    assert!(frame.is_self_dependent());
    assert_eq!(encoded(|out| frame.encode(out)), b"\0\0\x06\x01\x20\0\0\0\x05\x80\0\0\x05\xff\x82");
}

#[test]
fn padding_must_leave_room_for_fixed_fields() {
    let padded = flags::PADDED;
    let both = flags::PADDED | flags::PRIORITY;
    let cases = [
        (padded, &b"\x02\0\0"[..], Ok(&b""[..])),
        (padded, b"\x03\0\0", Err(Violation::PaddingTooLong)),
        (padded, b"", Err(Violation::FrameLength)),
        (both, b"\x01\0\0\0\0\0\0", Ok(b"")),
        (both, b"\x02\0\0\0\0\0\0", Err(Violation::PaddingTooLong)),
        (both, b"\0\0\0\0\0", Err(Violation::FrameLength)),
    ];
    for (flags, payload, expected) in cases {
        let header = header(FrameType::HEADERS, flags, 1, payload.len() as u32);
        let fragment = Headers::parse(header, payload).map(|frame| frame.fragment);
        assert_eq!(fragment, expected, "{header:?} {payload:?}");
    }
    let promise = header(FrameType::PUSH_PROMISE, padded, 1, 6);
    assert_eq!(PushPromise::parse(promise, b"\x02\0\0\0\x02\0"), Err(Violation::PaddingTooLong));
    assert_eq!(PushPromise::parse(promise, b"\x01\0\0\0\x02\0").map(|frame| frame.promised_id), Ok(id(2)));
}

#[test]
fn priority() {
    let wire = b"\0\0\x05\x02\0\0\0\0\x07\0\0\0\x05\x0f";
    let (header, payload) = split(wire);
    let frame = PriorityFrame::parse(header, payload).unwrap();
    let dependency = StreamDependency { exclusive: false, stream_id: id(5), weight: 15 };
    assert_eq!(frame, PriorityFrame { stream_id: id(7), dependency });
    assert!(!frame.is_self_dependent());
    assert_eq!(encoded(|out| frame.encode(out)), wire);
}

#[test]
fn rst_stream() {
    let wire = b"\0\0\x04\x03\0\0\0\0\x07\0\0\0\x08";
    let (header, payload) = split(wire);
    let frame = RstStream::parse(header, payload).unwrap();
    assert_eq!(frame, RstStream { stream_id: id(7), code: ErrorCode::CANCEL });
    assert_eq!(encoded(|out| frame.encode(out)), wire);
}

#[test]
fn settings() {
    let wire = b"\0\0\x0c\x04\0\0\0\0\0\0\x04\0\x01\0\0\x7a\x7a\0\0\0\x01";
    let (header, payload) = split(wire);
    let frame = SettingsFrame::parse(header, payload).unwrap();
    let parameters: Vec<_> = frame.iter().collect();
    assert!(!frame.is_ack());
    assert_eq!(parameters, [(SettingId::INITIAL_WINDOW_SIZE, 65_536), (SettingId(0x7a7a), 1)]);
    assert_eq!(encoded(|out| SettingsFrame::encode(&parameters, out)), wire);
}

#[test]
fn settings_acknowledgement() {
    let wire = b"\0\0\0\x04\x01\0\0\0\0";
    let (header, payload) = split(wire);
    assert!(SettingsFrame::parse(header, payload).unwrap().is_ack());
    assert_eq!(encoded(SettingsFrame::encode_ack), wire);
}

#[test]
fn setting_values_are_validated() {
    let cases = [
        (SettingId::HEADER_TABLE_SIZE, u32::MAX, Ok(())),
        (SettingId::ENABLE_PUSH, 1, Ok(())),
        (SettingId::ENABLE_PUSH, 2, Err(Violation::BadSetting)),
        (SettingId::MAX_CONCURRENT_STREAMS, 0, Ok(())),
        (SettingId::INITIAL_WINDOW_SIZE, 0x7fff_ffff, Ok(())),
        (SettingId::INITIAL_WINDOW_SIZE, 0x8000_0000, Err(Violation::InitialWindowTooLarge)),
        (SettingId::MAX_FRAME_SIZE, 16_383, Err(Violation::BadSetting)),
        (SettingId::MAX_FRAME_SIZE, 16_384, Ok(())),
        (SettingId::MAX_FRAME_SIZE, 16_777_215, Ok(())),
        (SettingId::MAX_FRAME_SIZE, 16_777_216, Err(Violation::BadSetting)),
        (SettingId::MAX_HEADER_LIST_SIZE, 0, Ok(())),
        (SettingId::ENABLE_CONNECT_PROTOCOL, 2, Err(Violation::BadSetting)),
        (SettingId::NO_RFC7540_PRIORITIES, 2, Err(Violation::BadSetting)),
        (SettingId(0x7a7a), u32::MAX, Ok(())),
    ];
    for (setting, value, expected) in cases {
        assert_eq!(setting.check(value), expected, "{setting} = {value}");
    }
}

#[test]
fn push_promise() {
    let wire = b"\0\0\x05\x05\x04\0\0\0\x01\0\0\0\x02\x82";
    let (header, payload) = split(wire);
    let frame = PushPromise::parse(header, payload).unwrap();
    assert_eq!(
        frame,
        PushPromise { stream_id: id(1), promised_id: id(2), end_headers: true, fragment: b"\x82" }
    );
    assert_eq!(encoded(|out| frame.encode(out)), wire);
}

#[test]
fn ping() {
    let wire = b"\0\0\x08\x06\x01\0\0\0\0deadbeef";
    let (header, payload) = split(wire);
    let frame = Ping::parse(header, payload).unwrap();
    assert_eq!(frame, Ping { ack: true, opaque_data: *b"deadbeef" });
    assert_eq!(encoded(|out| frame.encode(out)), wire);
}

#[test]
fn goaway() {
    let wire = b"\0\0\x0c\x07\0\0\0\0\0\x80\0\0\x05\0\0\0\x0bcalm";
    let (_, payload) = split(wire);
    let frame = GoAwayFrame::parse(payload).unwrap();
    let expected =
        GoAwayFrame { last_stream_id: id(5), code: ErrorCode::ENHANCE_YOUR_CALM, debug_data: b"calm" };
    assert_eq!(frame, expected, "the reserved bit is ignored");
    assert_eq!(encoded(|out| frame.encode(out)), b"\0\0\x0c\x07\0\0\0\0\0\0\0\0\x05\0\0\0\x0bcalm");
}

#[test]
fn window_update() {
    let wire = b"\0\0\x04\x08\0\0\0\0\x03\0\0\x10\0";
    let (header, payload) = split(wire);
    let frame = WindowUpdate::parse(header, payload).unwrap();
    assert_eq!(frame, WindowUpdate { stream_id: id(3), increment: 4_096 });
    assert_eq!(frame.check(), Ok(()));
    assert_eq!(encoded(|out| frame.encode(out)), wire);
}

#[test]
fn zero_increment_is_an_error_of_the_stream_or_connection() {
    let zero = |stream_id| WindowUpdate { stream_id: id(stream_id), increment: 0 }.check();
    assert_eq!(zero(0), Err(Violation::ZeroConnectionIncrement));
    assert_eq!(zero(1), Err(Violation::ZeroStreamIncrement));
    let reserved_bit_only = header(FrameType::WINDOW_UPDATE, 0, 1, 4);
    let frame = WindowUpdate::parse(reserved_bit_only, b"\x80\0\0\0").unwrap();
    assert_eq!(frame.check(), Err(Violation::ZeroStreamIncrement));
}

#[test]
fn continuation() {
    let wire = b"\0\0\x02\x09\x04\0\0\0\x03ab";
    let (header, payload) = split(wire);
    let frame = Continuation::parse(header, payload);
    assert_eq!(frame, Continuation { stream_id: id(3), end_headers: true, fragment: b"ab" });
    assert_eq!(encoded(|out| frame.encode(out)), wire);
}

#[test]
fn priority_update() {
    let wire = b"\0\0\x07\x10\0\0\0\0\0\0\0\0\x03u=1";
    let (_, payload) = split(wire);
    let frame = PriorityUpdate::parse(payload).unwrap();
    assert_eq!(frame, PriorityUpdate { prioritized_id: id(3), field_value: b"u=1" });
    assert_eq!(encoded(|out| frame.encode(out)), wire);
    assert_eq!(PriorityUpdate::parse(b"\0\0\0\0u=1"), Err(Violation::BadPriorityUpdate));
}

#[test]
fn origin() {
    let wire = b"\0\0\x16\x0c\0\0\0\0\0\0\x09https://a\0\x09https://b";
    let (header, payload) = split(wire);
    let origins: Vec<_> = Origin::parse(header, payload).unwrap().iter().collect();
    assert_eq!(origins, [b"https://a", b"https://b"]);
    assert_eq!(encoded(|out| Origin::encode(&origins, out)), wire);

    let cut_off = Origin::parse(header, b"\0\x01a\0\x02b").unwrap();
    assert_eq!(cut_off.iter().collect::<Vec<_>>(), [b"a"]);
    assert_eq!(Origin::parse(FrameHeader { stream_id: id(1), ..header }, payload), None);
    assert_eq!(Origin::parse(FrameHeader { flags: 0x08, ..header }, payload), None);
    assert!(Origin::parse(FrameHeader { flags: 0x10, ..header }, payload).is_some());
}

#[test]
fn altsvc() {
    let wire = b"\0\0\x12\x0a\0\0\0\0\0\0\x09https://ah2=\":1\"";
    let (header, payload) = split(wire);
    let frame = AltSvc::parse(header, payload).unwrap();
    let expected =
        AltSvc { stream_id: StreamId::CONNECTION, origin: b"https://a", field_value: b"h2=\":1\"" };
    assert_eq!(frame, expected);
    assert_eq!(encoded(|out| frame.encode(out)), wire);

    let on_a_stream = FrameHeader { stream_id: id(1), ..header };
    assert_eq!(AltSvc::parse(on_a_stream, payload), None, "the stream implies the origin");
    assert_eq!(AltSvc::parse(on_a_stream, b"\0\0clear").map(|frame| frame.field_value), Some(&b"clear"[..]));
    assert_eq!(AltSvc::parse(header, b"\0\0clear"), None, "the origin is missing");
    assert_eq!(AltSvc::parse(header, b"\0\x09https"), None);
}

#[test]
fn frame_headers_are_validated() {
    use Violation::*;
    const UNKNOWN: FrameType = FrameType(0x42);
    let too_large = MAX_FRAME_SIZE + 1;
    let cases = [
        // First the length against SETTINGS_MAX_FRAME_SIZE (RFC 9113, 4.2).
        (header(FrameType::DATA, 0, 1, MAX_FRAME_SIZE), Ok(())),
        (header(FrameType::DATA, 0, 1, too_large), Err(StreamFrameTooLarge)),
        (header(FrameType::DATA, 0, 0, too_large), Err(FrameTooLarge)),
        (header(FrameType::HEADERS, 0, 1, too_large), Err(FrameTooLarge)),
        (header(FrameType::PUSH_PROMISE, 0, 1, too_large), Err(FrameTooLarge)),
        (header(FrameType::CONTINUATION, 0, 1, too_large), Err(FrameTooLarge)),
        (header(FrameType::SETTINGS, 0, 1, too_large), Err(FrameTooLarge)),
        (header(FrameType::RST_STREAM, 0, 1, too_large), Err(FrameTooLarge)),
        (header(FrameType::WINDOW_UPDATE, 0, 1, too_large), Err(FrameTooLarge)),
        (header(FrameType::PRIORITY, 0, 1, too_large), Err(StreamFrameTooLarge)),
        (header(UNKNOWN, 0, 1, too_large), Err(StreamFrameTooLarge)),
        (header(UNKNOWN, 0, 0, too_large), Err(FrameTooLarge)),
        // Then the stream, then the length that the frame type allows (RFC 9113, 6).
        (header(FrameType::DATA, 0, 0, 1), Err(StreamZero)),
        (header(FrameType::DATA, flags::PADDED, 1, 0), Err(FrameLength)),
        (header(FrameType::DATA, 0, 1, 0), Ok(())),
        (header(FrameType::HEADERS, 0, 0, 1), Err(StreamZero)),
        (header(FrameType::HEADERS, flags::PRIORITY, 1, 4), Err(FrameLength)),
        (header(FrameType::HEADERS, flags::PRIORITY | flags::PADDED, 1, 5), Err(FrameLength)),
        (header(FrameType::HEADERS, flags::PRIORITY | flags::PADDED, 1, 6), Ok(())),
        (header(FrameType::PRIORITY, 0, 0, 4), Err(StreamZero)),
        (header(FrameType::PRIORITY, 0, 1, 4), Err(PriorityLength)),
        (header(FrameType::RST_STREAM, 0, 0, 4), Err(StreamZero)),
        (header(FrameType::RST_STREAM, 0, 1, 5), Err(FrameLength)),
        (header(FrameType::SETTINGS, 0, 1, 0), Err(NotStreamZero)),
        (header(FrameType::SETTINGS, 0, 0, 7), Err(FrameLength)),
        (header(FrameType::SETTINGS, flags::ACK, 0, 6), Err(FrameLength)),
        (header(FrameType::PUSH_PROMISE, 0, 0, 4), Err(StreamZero)),
        (header(FrameType::PUSH_PROMISE, 0, 1, 3), Err(FrameLength)),
        (header(FrameType::PUSH_PROMISE, flags::PADDED, 1, 4), Err(FrameLength)),
        (header(FrameType::PING, 0, 1, 8), Err(NotStreamZero)),
        (header(FrameType::PING, 0, 0, 7), Err(FrameLength)),
        (header(FrameType::GOAWAY, 0, 1, 8), Err(NotStreamZero)),
        (header(FrameType::GOAWAY, 0, 0, 7), Err(FrameLength)),
        (header(FrameType::WINDOW_UPDATE, 0, 0, 4), Ok(())),
        (header(FrameType::WINDOW_UPDATE, 0, 1, 4), Ok(())),
        (header(FrameType::WINDOW_UPDATE, 0, 1, 2), Err(FrameLength)),
        (header(FrameType::CONTINUATION, 0, 0, 1), Err(StreamZero)),
        (header(FrameType::CONTINUATION, 0, 1, 0), Ok(())),
        (header(FrameType::PRIORITY_UPDATE, 0, 1, 4), Err(BadPriorityUpdate)),
        (header(FrameType::PRIORITY_UPDATE, 0, 0, 3), Err(FrameLength)),
        // Invalid frames of these types are ignored (RFC 8336, 2; RFC 7838, 4; RFC 9113, 5.5).
        (header(FrameType::ORIGIN, 0, 1, 0), Ok(())),
        (header(FrameType::ALTSVC, 0, 0, 0), Ok(())),
        (header(UNKNOWN, 0xff, 1, 0), Ok(())),
    ];
    for (header, expected) in cases {
        assert_eq!(header.check(MAX_FRAME_SIZE), expected, "{header:?}");
    }
}

/// Parses a payload according to its header and performs all checks that don't need a connection.
fn parse(header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
    match header.kind {
        FrameType::DATA => data::layout(header, payload.first().copied()).map(drop),
        FrameType::HEADERS => Headers::parse(header, payload).map(drop),
        FrameType::PRIORITY => PriorityFrame::parse(header, payload).map(drop),
        FrameType::RST_STREAM => RstStream::parse(header, payload).map(drop),
        FrameType::SETTINGS => SettingsFrame::parse(header, payload)?
            .iter()
            .try_for_each(|(setting, value)| setting.check(value)),
        FrameType::PUSH_PROMISE => PushPromise::parse(header, payload).map(drop),
        FrameType::PING => Ping::parse(header, payload).map(drop),
        FrameType::GOAWAY => GoAwayFrame::parse(payload).map(drop),
        FrameType::WINDOW_UPDATE => WindowUpdate::parse(header, payload)?.check(),
        FrameType::PRIORITY_UPDATE => PriorityUpdate::parse(payload).map(drop),
        FrameType::ORIGIN => {
            Origin::parse(header, payload).iter().flat_map(Origin::iter).for_each(drop);
            Ok(())
        }
        FrameType::ALTSVC => {
            AltSvc::parse(header, payload);
            Ok(())
        }
        _ => {
            Continuation::parse(header, payload);
            Ok(())
        }
    }
}

/// Parses short payloads as every frame type with every set of flags, on stream 0 and another, with right and wrong
/// lengths in the header. No parser panics, and frames that pass `check` have no length errors.
#[test]
fn no_input_makes_a_parser_panic() {
    let payloads: Vec<Vec<u8>> = [0x00, 0x01, 0x04, 0x7f, 0x80, 0xff]
        .iter()
        .flat_map(|&octet| (0..14).map(move |n| vec![octet; n]))
        .collect();
    for kind in (0..=255).map(FrameType) {
        for flags in 0..=255 {
            for (payload, stream_id) in payloads.iter().flat_map(|payload| [(payload, 0), (payload, 1)]) {
                let header = header(kind, flags, stream_id, payload.len() as u32);
                let parsed = parse(header, payload);
                if header.check(MAX_FRAME_SIZE).is_ok() {
                    assert_ne!(parsed, Err(Violation::FrameLength), "{header:?} {payload:?}");
                    assert_ne!(parsed, Err(Violation::PriorityLength), "{header:?} {payload:?}");
                }
                let _ = parse(FrameHeader { length: 0xff_ffff, ..header }, payload);
                let _ = parse(FrameHeader { length: 0, ..header }, payload);
            }
        }
    }
}

#[test]
fn stream_scoped_offences_of_headers() {
    let lengths = [0, 4, 5, 8, MAX_FRAME_SIZE, MAX_FRAME_SIZE + 1];
    for kind in (0..=255).map(FrameType) {
        for (length, stream_id) in lengths.iter().flat_map(|&length| [(length, 0), (length, 1)]) {
            let offence = header(kind, 0, stream_id, length).check(MAX_FRAME_SIZE);
            if offence.is_err_and(|offence| offence.scope() == Scope::Stream) {
                assert_eq!(stream_id, 1);
                let expected = [Violation::StreamFrameTooLarge, Violation::PriorityLength];
                assert!(expected.map(Err).contains(&offence), "{kind}: {offence:?}");
            }
        }
    }
}
