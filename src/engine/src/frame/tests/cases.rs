//! The cases of http2jp/http2-frame-test-case, if the test data is present.
//!
//! The cases predate RFC 9113 but agree with it on every error. They differ in one value: RFC 7540 adds one to the
//! weight on the wire, RFC 9113 does not.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{MAX_FRAME_SIZE, encoded, parse};
use crate::frame::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/frames")
}

/// Reads every case along with its file name.
fn cases() -> Vec<(String, Value)> {
    let Ok(folders) = fs::read_dir(folder()) else {
        eprintln!("skipped: {} is missing", folder().display());
        return Vec::new();
    };
    let folders = folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let cases: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .map(|file| (file.display().to_string(), serde_json::from_slice(&fs::read(&file).unwrap()).unwrap()))
        .collect();
    assert!(cases.len() > 30, "only {} cases", cases.len());
    cases
}

fn wire(case: &Value) -> Vec<u8> {
    let digits = case["wire"].as_str().unwrap().as_bytes();
    let octet = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

/// Splits the frame of a case, which may be shorter than its header says.
fn split(wire: &[u8]) -> (FrameHeader, &[u8]) {
    let (octets, payload) = wire.split_first_chunk().unwrap();
    (FrameHeader::parse(octets), payload)
}

#[test]
fn bad_frames_are_refused_with_an_allowed_code() {
    for (name, case) in cases() {
        let Some(codes) = case["error"].as_array() else { continue };
        let wire = wire(&case);
        let (header, payload) = split(&wire);
        let offence = header.check(MAX_FRAME_SIZE).and_then(|()| parse(header, payload)).expect_err(&name);
        let code = u64::from(offence.code().0);
        assert!(codes.iter().any(|allowed| allowed.as_u64() == Some(code)), "{name}: {offence:?}");
    }
}

#[test]
fn good_frames_round_trip() {
    for (name, case) in cases() {
        let Some(frame) = case["frame"].as_object() else { continue };
        let wire = wire(&case);
        let (header, payload) = split(&wire);
        assert_eq!(frame["length"], header.length, "{name}");
        assert_eq!(frame["type"], header.kind.0, "{name}");
        assert_eq!(frame["flags"], header.flags, "{name}");
        assert_eq!(frame["stream_identifier"], header.stream_id.as_u32(), "{name}");
        assert_eq!(header.check(MAX_FRAME_SIZE), Ok(()), "{name}");

        let again = read_and_write(&name, header, payload, &frame["frame_payload"]);
        if header.has(flags::PADDED) {
            let padding = frame["frame_payload"]["padding_length"].as_u64().unwrap() as usize;
            assert_eq!(again.len(), wire.len() - padding - 1, "{name}: we send no padding");
        } else {
            assert_eq!(again, wire, "{name}");
        }
    }
}

/// Compares a frame with the case's description, then encodes it.
fn read_and_write(name: &str, header: FrameHeader, payload: &[u8], expected: &Value) -> Vec<u8> {
    let text = |octets: &[u8]| Value::from(str::from_utf8(octets).unwrap());
    let compare_dependency = |dependency: StreamDependency| {
        assert_eq!(expected["exclusive"], dependency.exclusive, "{name}");
        assert_eq!(expected["stream_dependency"], dependency.stream_id.as_u32(), "{name}");
        assert_eq!(expected["weight"], u16::from(dependency.weight) + 1, "{name}");
    };
    match header.kind {
        FrameType::DATA => {
            let layout = data::layout(header, payload.first().copied()).unwrap();
            let content = &payload[usize::from(header.has(flags::PADDED))..][..layout.content as usize];
            assert_eq!(expected["data"], text(content), "{name}");
            let mut out = encoded(|out| data::encode_header(out, header.stream_id, layout.content, false));
            out.extend_from_slice(content);
            out
        }
        FrameType::HEADERS => {
            let frame = Headers::parse(header, payload).unwrap();
            assert_eq!(expected["header_block_fragment"], text(frame.fragment), "{name}");
            frame.dependency.into_iter().for_each(compare_dependency);
            encoded(|out| frame.encode(out))
        }
        FrameType::PRIORITY => {
            let frame = PriorityFrame::parse(header, payload).unwrap();
            compare_dependency(frame.dependency);
            encoded(|out| frame.encode(out))
        }
        FrameType::RST_STREAM => {
            let frame = RstStream::parse(header, payload).unwrap();
            assert_eq!(expected["error_code"], frame.code.0, "{name}");
            encoded(|out| frame.encode(out))
        }
        FrameType::SETTINGS => {
            let frame = SettingsFrame::parse(header, payload).unwrap();
            let parameters: Vec<_> = frame.iter().collect();
            let values: Vec<_> = parameters.iter().map(|(setting, value)| (setting.0, *value)).collect();
            assert_eq!(expected["settings"], serde_json::to_value(values).unwrap(), "{name}");
            encoded(|out| SettingsFrame::encode(&parameters, out))
        }
        FrameType::PUSH_PROMISE => {
            let frame = PushPromise::parse(header, payload).unwrap();
            assert_eq!(expected["promised_stream_id"], frame.promised_id.as_u32(), "{name}");
            assert_eq!(expected["header_block_fragment"], text(frame.fragment), "{name}");
            encoded(|out| frame.encode(out))
        }
        FrameType::PING => {
            let frame = Ping::parse(header, payload).unwrap();
            assert_eq!(expected["opaque_data"], text(&frame.opaque_data), "{name}");
            encoded(|out| frame.encode(out))
        }
        FrameType::GOAWAY => {
            let frame = GoAwayFrame::parse(payload).unwrap();
            assert_eq!(expected["last_stream_id"], frame.last_stream_id.as_u32(), "{name}");
            assert_eq!(expected["error_code"], frame.code.0, "{name}");
            assert_eq!(expected["additional_debug_data"], text(frame.debug_data), "{name}");
            encoded(|out| frame.encode(out))
        }
        FrameType::WINDOW_UPDATE => {
            let frame = WindowUpdate::parse(header, payload).unwrap();
            assert_eq!(expected["window_size_increment"], frame.increment, "{name}");
            encoded(|out| frame.encode(out))
        }
        FrameType::CONTINUATION => {
            let frame = Continuation::parse(header, payload);
            assert_eq!(expected["header_block_fragment"], text(frame.fragment), "{name}");
            encoded(|out| frame.encode(out))
        }
        kind => panic!("{name}: {kind}"),
    }
}
