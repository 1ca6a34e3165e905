//! The scenarios: each has few actions, so that all their orders can be explored deeply; together, they pair
//! every action with every other.

use std::time::Duration;

use http2_engine::{KeepAlive, Role};

use crate::action::Action::*;
use crate::scenario::{Clock, Scenario};

/// All scenarios.
pub fn scenarios() -> Vec<Scenario> {
    [small(), messages(), endings(), memories(), pushes(), limits(), shutdowns()].concat()
}

/// So few actions that their state space can be explored completely, or nearly.
fn small() -> Vec<Scenario> {
    let diligent = |name| Scenario { reads: true, releases: true, ..Scenario::new(name, 1) };
    let window = Scenario::new("one upload", 1)
        .client(&[(Post, 1), (Send(2), 3), (End, 1)])
        .server(&[(Read, 4), (Answer, 1)]);
    let crossing = Scenario::new("crossing resets", 1)
        .client(&[(Post, 1), (Reset, 1), (Release, 1)])
        .server(&[(Answer, 1), (Reset, 1), (Release, 1)]);
    let turns = diligent("changing limits").client(&[(Get(1), 3)]).server(&[
        (LimitStreams(0), 1),
        (LimitStreams(2), 1),
        (Answer, 3),
    ]);
    let resized = Scenario { reads: true, ..Scenario::new("changing windows", 1) }
        .client(&[(Post, 1), (Send(2), 2)])
        .server(&[(LimitWindow(0), 1), (LimitWindow(3), 1), (Raise(1), 1)]);
    let promise = Scenario { clock: Clock::WhenQuiet, ..diligent("last promise") }
        .client(&[(Get(1), 1), (Reset, 1), (Shutdown, 1)])
        .server(&[(Push(1), 1), (Answer, 2), (Reset, 1), (Shutdown, 1)])
        .configure(|_, config| config.enable_push = true);
    let farewell = Scenario { clock: Clock::Running, ..diligent("farewell") }
        .client(&[(Get(1), 2), (Shutdown, 1)])
        .server(&[(Answer, 2), (Shutdown, 1)]);
    vec![window, crossing, turns, resized, promise, farewell]
}

/// Content and trailers, and the windows that they need.
fn messages() -> Vec<Scenario> {
    let exchange = Scenario::new("exchange", 1)
        .client(&[(Post, 1), (Send(2), 2), (End, 1), (Trailers, 1), (Read, 3)])
        .server(&[(Read, 3), (Inform, 1), (Respond, 1), (Send(2), 2), (End, 1), (Trailers, 1)]);
    let queue = Scenario { reads: true, releases: true, ..Scenario::new("queue", 1) }
        .client(&[(Get(1), 2), (Post, 2), (Send(1), 2), (End, 2)])
        .server(&[(Answer, 3), (Respond, 1), (End, 1)]);
    let unread = Scenario::new("unread", 2).client(&[(Get(1), 2), (Read, 4), (Release, 1)]).server(&[
        (Respond, 2),
        (Send(3), 3),
        (End, 2),
    ]);
    let windows = Scenario { reads: true, ..Scenario::new("windows", 2) }
        .client(&[(Post, 2), (Send(2), 3), (End, 1), (RaiseConnection(1), 1)])
        .server(&[(LimitWindow(0), 1), (LimitWindow(1), 1), (LimitWindow(3), 1), (Raise(1), 1)]);
    // A stream may buffer much, or 16 KiB while others wait.
    let crowd = Scenario { reads: true, ..Scenario::new("crowd", 2) }
        .client(&[(Post, 2), (Send(16_384), 3), (LookForRoom, 1), (End, 1)])
        .server(&[(Answer, 1), (Reset, 1)])
        .configure(|_, config| {
            config.send_buffer = 32_768;
            (config.initial_window_size, config.stream_window_max) = (16_384, 16_384);
        });
    // One stream nearly fills the connection window; the other can continue once credit is returned.
    let narrow = Scenario { reads: true, releases: true, ..Scenario::new("narrow connection", 2) }
        .client(&[(Post, 2), (Send(60_000), 2), (Reset, 1)])
        .server(&[(Reset, 1), (Release, 1)])
        .configure(|_, config| {
            (config.send_buffer, config.max_send_frame_size, config.max_frame_size) =
                (60_000, 60_000, 60_000);
            (config.initial_window_size, config.stream_window_max) = (60_000, 60_000);
            config.limits.content_bytes = 1 << 20;
        });
    vec![exchange, queue, unread, windows, crowd, narrow]
}

/// Streams that either side or both end prematurely.
fn endings() -> Vec<Scenario> {
    let resets = Scenario::new("resets", 1)
        .client(&[(Post, 2), (Send(1), 1), (End, 1), (Reset, 1), (Release, 1), (Read, 1)])
        .server(&[(Respond, 1), (Answer, 1), (Send(1), 1), (Reset, 1), (Release, 1), (Read, 1)]);
    let early = Scenario { reads: true, releases: true, ..Scenario::new("early answers", 2) }
        .client(&[(Post, 2), (Send(2), 2), (End, 1), (Trailers, 1), (Ping, 1)])
        .server(&[(Answer, 2), (Release, 1), (Ping, 1)]);
    let cancels = Scenario { reads: true, ..Scenario::new("cancels", 1) }
        .client(&[(Get(1), 3), (Reset, 2), (Release, 2)])
        .server(&[(Answer, 2), (Respond, 1), (Send(1), 1), (Release, 2)]);
    let connect = Scenario { reads: true, ..Scenario::new("tunnel", 1) }
        .client(&[(Connect, 1), (Send(1), 1), (Trailers, 1), (End, 1), (Reset, 1), (Release, 1)])
        .server(&[(Respond, 1), (Send(1), 1), (End, 1), (Trailers, 1), (Release, 1)]);
    vec![resets, early, cancels, connect]
}

/// Many streams in one step, which fill every memory of closed streams at once.
fn memories() -> Vec<Scenario> {
    let bulk = |name, streams| Scenario { in_bulk: true, ..Scenario::new(name, streams) };
    let late_responses = bulk("many cancels", 200)
        .client(&[(Get(70), 2), (ResetAll, 1), (ReleaseAll, 1), (Get(1), 1)])
        .server(&[(AnswerAll, 2), (ResetAll, 1), (ReleaseAll, 1)]);
    let late_requests = Scenario { reads: true, releases: true, ..bulk("many answers", 200) }
        .client(&[(Post, 1), (Get(70), 1), (Send(1), 1), (Trailers, 1)])
        .server(&[(Answer, 1), (AnswerAll, 1), (ReleaseAll, 1)]);
    let late_pushes = bulk("many promises", 400)
        .client(&[(Get(1), 1), (Reset, 1), (ReleaseAll, 1), (Get(70), 1)])
        .server(&[(Push(150), 2), (Push(1), 1), (AnswerAll, 1), (ReleaseAll, 1)])
        .configure(|_, config| config.enable_push = true);
    vec![late_responses, late_requests, late_pushes]
}

/// Promises, and frames that cross them.
fn pushes() -> Vec<Scenario> {
    let promises = Scenario { reads: true, may_refuse: true, ..Scenario::new("promises", 1) }
        .client(&[(Get(1), 2), (Reset, 1), (Release, 2)])
        .server(&[(Push(1), 2), (Respond, 1), (Answer, 2), (Release, 1), (Reset, 1)])
        .configure(|_, config| config.enable_push = true);
    let limited = Scenario { reads: true, may_refuse: true, ..Scenario::new("promises under limits", 2) }
        .client(&[
            (Get(1), 1),
            (LimitStreams(0), 1),
            (LimitStreams(1), 1),
            (Release, 2),
            (Raise(1), 1),
            (Prioritize, 1),
        ])
        .server(&[(Push(1), 2), (Answer, 2), (Respond, 1), (Send(2), 1)])
        .configure(|_, config| config.enable_push = true);
    let unwanted = Scenario { reads: true, ..Scenario::new("unwanted promises", 2) }
        .client(&[(Get(1), 2), (EnablePush(false), 1), (EnablePush(true), 1), (Reset, 1)])
        .server(&[(Push(1), 2), (Answer, 2), (Release, 1)])
        .configure(|_, config| config.enable_push = true);
    vec![promises, limited, unwanted]
}

/// Limits and queues that change while streams are opened.
fn limits() -> Vec<Scenario> {
    let settings = Scenario { reads: true, releases: true, ..Scenario::new("limits", 1) }
        .client(&[(Get(1), 4), (Prioritize, 1), (Reset, 1)])
        .server(&[(LimitStreams(0), 1), (LimitStreams(2), 1), (Answer, 3), (LimitStreams(1), 1)]);
    let tables = Scenario { reads: true, releases: true, ..Scenario::new("tables", 2) }
        .client(&[(Get(1), 3), (LimitTable(0), 1), (LimitTable(100), 1)])
        .server(&[(Inform, 2), (Answer, 2), (LimitTable(64), 1), (LimitTable(0), 1), (LimitTable(4_096), 1)]);
    let unqueued = Scenario { reads: true, ..Scenario::new("no queue", 1) }
        .client(&[(Get(1), 3), (Post, 1), (Reset, 1), (Release, 2)])
        .server(&[(Answer, 2), (Reset, 1), (Release, 2)])
        .configure(|_, config| config.waiting_streams = 0);
    let slow =
        Scenario { slow_transport: true, reads: true, releases: true, ..Scenario::new("slow transport", 1) }
            .client(&[(Get(1), 2), (Post, 1), (Send(1), 1), (End, 1), (Ping, 2), (Reset, 1)])
            .server(&[(Answer, 2), (Ping, 2), (Reset, 1)]);
    let greeting = Scenario {
        greeted: false,
        reads: true,
        releases: true,
        may_refuse: true,
        ..Scenario::new("greeting", 1)
    }
    .client(&[(Get(1), 2), (Post, 1), (Send(3), 1), (End, 1), (Ping, 1), (Reset, 1), (LimitWindow(3), 1)])
    .server(&[(Answer, 2), (Ping, 1), (LimitStreams(2), 1), (LimitWindow(0), 1), (LimitWindow(1), 1)])
    .configure(|_, config| config.initial_max_send_streams = 2);
    vec![settings, tables, unqueued, slow, greeting]
}

/// Connections that are shut down at any point.
fn shutdowns() -> Vec<Scenario> {
    let shutdown =
        Scenario { reads: true, releases: true, clock: Clock::Running, ..Scenario::new("shutdown", 1) }
            .client(&[(Get(1), 2), (Post, 1), (End, 1), (Reset, 1), (Ping, 1), (Shutdown, 1)])
            .server(&[(Answer, 2), (Ping, 1), (Shutdown, 1), (Release, 1)]);
    let drain =
        Scenario { reads: true, may_refuse: true, clock: Clock::WhenQuiet, ..Scenario::new("drain", 2) }
            .client(&[(Get(1), 1), (Post, 1), (Send(2), 1), (Trailers, 1), (Release, 2), (Shutdown, 1)])
            .server(&[(Push(1), 1), (Respond, 2), (Answer, 2), (End, 1), (Release, 1), (Shutdown, 1)])
            .configure(|_, config| config.enable_push = true);
    let idle = Scenario { reads: true, releases: true, clock: Clock::WhenQuiet, ..Scenario::new("idle", 1) }
        .client(&[(Get(1), 2), (Ping, 1), (Reset, 1)])
        .server(&[(Answer, 2), (Ping, 1)])
        .configure(|role, config| {
            let second = Duration::from_secs(1);
            config.idle_timeout = Some(if role == Role::Client { second * 5 } else { second * 3 });
            config.keep_alive = Some(KeepAlive::new(second * 2, second));
        });
    vec![shutdown, drain, idle]
}
