//! Random configurations: every option takes values from tiny to huge.

use std::time::Duration;

use bytes::Bytes;
use http2_engine::{Config, KeepAlive, Limits};

use crate::random::Random;

const MAX_WINDOW: u32 = 0x7fff_ffff;

/// Creates configurations for a client and a server.
pub(crate) fn configs(random: &mut Random, calm: bool) -> [Config; 2] {
    let [mut client, server] = [config(random, calm), config(random, calm)];
    // Without room for the acknowledgements of all PINGs, client and server might wait for each other.
    client.limits.control_bytes += 17 * (server.limits.pings + 4);
    [client, server]
}

/// Creates a configuration; a `calm` one has no deadline that a merely slow peer misses.
fn config(random: &mut Random, calm: bool) -> Config {
    let initial_window_size = window(random);
    let connection_window = match random.below(4) {
        0 => 65_535,
        1 => MAX_WINDOW,
        _ => 65_535 + random.size_u32(1 << 20),
    };
    let grown =
        |window: u32, random: &mut Random| window.saturating_mul(1 << random.below(6)).min(MAX_WINDOW);
    let mut config = Config::default();
    config.header_table_size = random.pick(&[0, 100, 4_096, 4_096, 65_536]);
    config.enable_push = random.one_in(2);
    config.max_concurrent_streams = random.pick(&[0, 1, 2, 5, 20, 100, 100, 100]);
    config.initial_window_size = initial_window_size;
    config.max_frame_size = 16_384 + random.size_u32(1 << 17);
    config.max_header_list_size = random.pick(&[300, 32 << 10, 32 << 10, 64 << 10, 64 << 10, 64 << 10]);
    config.enable_connect_protocol = random.one_in(3);
    config.connection_window = connection_window;
    config.connection_window_max = grown(connection_window, random);
    config.stream_window_max = grown(initial_window_size, random);
    config.manual_window_update = random.one_in(3);
    config.send_buffer = 1 + random.size(1 << 18);
    config.waiting_streams = random.pick(&[0, 1, 5, 100]);
    config.initial_max_send_streams = random.pick(&[0, 1, 10, 100]);
    config.max_send_frame_size = 16_384 + random.size_u32(1 << 17);
    // Padding is left to the relay.
    config.pad_to = 0;
    config.encoder_table_size = random.pick(&[0, 100, 4_096, 4_096, 65_536]);
    config.check_header_list_size = false;
    config.never_indexed = if random.one_in(4) { vec![Bytes::from_static(b"x-one")] } else { Vec::new() };
    config.unknown_frames = random.one_in(2);
    config.preface_timeout = timeout(random, calm);
    config.settings_timeout = timeout(random, calm);
    config.headers_timeout = timeout(random, calm);
    config.stall_timeout = timeout(random, calm);
    config.crowded_stall_timeout = Duration::MAX;
    config.linger_timeout = None;
    config.linger_bytes = 0;
    config.idle_timeout = timeout(random, calm);
    config.drain_timeout = timeout(random, calm);
    config.keep_alive = None;
    config.limits = limits(random);
    if random.one_in(3) {
        // PINGs without pauses would be abuse, and no world would come to rest.
        let interval = Duration::from_millis(5_000 + u64::from(random.size_u32(60_000)));
        config.keep_alive = timeout(random, calm).map(|timeout| KeepAlive::new(interval, timeout));
    }
    config
}

/// An initial window, either small enough that messages stall and resume, or large.
pub(crate) fn window(random: &mut Random) -> u32 {
    match random.below(6) {
        0 => 0,
        1 => 1 + random.size_u32(100),
        2 => 65_535,
        3 => MAX_WINDOW,
        _ => 1 + random.size_u32(1 << 18),
    }
}

/// A timeout: if `calm`, longer than anything takes that does not stall for good; otherwise rarely short.
fn timeout(random: &mut Random, calm: bool) -> Option<Duration> {
    match random.below(40) {
        0..12 => None,
        _ if calm => Some(Duration::from_secs(3_600 + u64::from(random.size_u32(10_000)))),
        12 => Some(Duration::from_micros(1 + u64::from(random.size_u32(1_000_000)))),
        _ => Some(Duration::from_millis(200 + u64::from(random.size_u32(60_000)))),
    }
}

fn limits(random: &mut Random) -> Limits {
    let touchy = random.one_in(20);
    let mut limits = Limits::default();
    limits.frames_per_recv = 1 + random.size_u32(1_000);
    limits.events = 1 + random.size(500);
    limits.control_bytes = 1 + random.size(64 << 10);
    limits.pings = random.below(20);
    limits.content_bytes = 1 + random.size(1 << 20);
    if touchy {
        limits.abuse = 1 + random.size_u32(200);
    }
    limits
}
