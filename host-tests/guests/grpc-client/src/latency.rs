//! Measures the latency of calls and messages, one at a time.

use std::fmt::Write;
use std::time::Duration;

use futures::channel::mpsc::unbounded;
use wasip3::clocks::monotonic_clock;

use crate::Services;
use crate::expect::{Failure, next, same};
use crate::interop::{duplex, octets, zeros};
use crate::proto::grpc::SimpleRequest;

/// Size of a message's payload in bytes.
const SIZE: u16 = 5;

/// Measures `call` or `messages` `count` times, and returns the microseconds of each, one per line.
pub(crate) async fn measure(services: Services, case: &str, count: u32) -> Result<String, Failure> {
    match case {
        "call" => calls(services, count).await,
        "messages" => messages(services, count).await,
        _ => Err(Failure::new("the cases are call and messages")),
    }
}

async fn calls(mut services: Services, count: u32) -> Result<String, Failure> {
    let request = SimpleRequest {
        response_size: SIZE.into(),
        payload: Some(zeros(SIZE.into())),
        ..SimpleRequest::default()
    };
    let mut took = String::new();
    for _ in 0..count {
        let began = monotonic_clock::now();
        let response = services.test.unary_call(request.clone()).await?;
        append_duration(&mut took, began);
        same(octets(response.into_inner().payload), i32::from(SIZE))?;
    }
    Ok(took)
}

/// Measures messages on one stream, each sent after the previous one was answered.
async fn messages(mut services: Services, count: u32) -> Result<String, Failure> {
    let (requests, receiver) = unbounded();
    let message = || duplex(SIZE.into(), SIZE.into(), Duration::ZERO);
    // A server may wait for the first message before it responds.
    _ = requests.unbounded_send(message());
    let mut responses = services.test.full_duplex_call(receiver).await?.into_inner();
    next(&mut responses).await?;
    let mut took = String::new();
    for _ in 0..count {
        let began = monotonic_clock::now();
        _ = requests.unbounded_send(message());
        let response = next(&mut responses).await?;
        append_duration(&mut took, began);
        same(octets(response.payload), i32::from(SIZE))?;
    }
    Ok(took)
}

fn append_duration(took: &mut String, began: u64) {
    _ = writeln!(took, "{}", monotonic_clock::now().saturating_sub(began) / 1_000);
}
