//! The cases of this project.

use std::future::Future;

use bytes::Bytes;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::future::try_join_all;
use tonic::codec::CompressionEncoding::Gzip;
use tonic::{Code, Request, Streaming};
use wasip3::clocks::monotonic_clock;

use crate::Services;
use crate::channel::Channel;
use crate::expect::{Failure, fails, next, same};
use crate::proto::http2::echo_client::EchoClient;
use crate::proto::http2::{Content, Nothing};

const MIB: usize = 1 << 20;
/// Sizes around those of frames and windows, and far larger ones.
const SIZES: [usize; 11] = [0, 1, 16_378, 16_379, 16_384, 65_530, 65_535, 65_536, MIB, 5 * MIB, 16 * MIB];
const CONCURRENT_CALLS: usize = 1_000;

pub(crate) async fn message_sizes(services: Services) -> Result<(), Failure> {
    round_trips(services.echo, &SIZES).await
}

pub(crate) async fn compressed_messages(services: Services) -> Result<(), Failure> {
    round_trips(services.echo.send_compressed(Gzip), &[0, 1, 65_536, MIB]).await
}

/// Sends messages of these sizes, each on its own and in a stream, and checks their echoes.
async fn round_trips(mut echo: EchoClient<Channel>, sizes: &[usize]) -> Result<(), Failure> {
    let (requests, receiver) = unbounded();
    let mut responses = echo.each(receiver).await?.into_inner();
    for &size in sizes {
        let content = Content { octets: pattern(size) };
        same(&echo.whole(content.clone()).await?.into_inner(), &content)?;
        _ = requests.unbounded_send(content.clone());
        same(&next(&mut responses).await?, &content)?;
    }
    drop(requests);
    same(responses.message().await?, None)
}

pub(crate) async fn concurrent_calls(services: Services) -> Result<(), Failure> {
    concurrently(|content| {
        let mut services = services.clone();
        async move { same(services.echo.whole(content.clone()).await?.into_inner(), content) }
    })
    .await
    .map(drop)
}

pub(crate) async fn concurrent_streams(services: Services) -> Result<(), Failure> {
    // No call ends before all have begun.
    let begun = concurrently(|content| begin(services.clone(), content)).await?;
    let ends = begun.into_iter().map(async |(requests, mut responses)| {
        drop(requests);
        same(responses.message().await?, None)
    });
    try_join_all(ends).await.map(drop)
}

pub(crate) async fn trailers_only_error(mut services: Services) -> Result<(), Failure> {
    // The client neither sends a message nor ends the request.
    let (_requests, receiver) = unbounded();
    let status = fails(services.echo.refuse(receiver).await, Code::FailedPrecondition)?;
    same(status.message(), "not today")?;
    same(status.details(), b"\0details\xff")
}

pub(crate) async fn request_broken_off(mut services: Services) -> Result<(), Failure> {
    let before = cancelled_calls(&mut services).await?;
    let (requests, receiver) = unbounded();
    let content = Content { octets: Bytes::from_static(b"not all") };
    _ = requests.unbounded_send(content.clone());
    let mut request = Request::new(receiver);
    let handle = request.cancellation_handle();
    let mut responses = services.echo.each(request).await?.into_inner();
    same(next(&mut responses).await?, content)?;
    // Cancelling turns the rest of the request into an error.
    handle.cancel();
    fails(responses.message().await, Code::Unavailable)?;
    expect_cancellation(&mut services, before).await
}

pub(crate) async fn response_before_request_ends(mut services: Services) -> Result<(), Failure> {
    let (requests, receiver) = unbounded();
    let content = Content { octets: Bytes::from_static(b"first") };
    _ = requests.unbounded_send(content.clone());
    same(services.echo.first(receiver).await?.into_inner(), content)?;

    // The head of a response may come before the first message of the request.
    let (requests, receiver) = unbounded();
    let mut responses = services.echo.each(receiver).await?.into_inner();
    let content = Content { octets: Bytes::from_static(b"later") };
    _ = requests.unbounded_send(content.clone());
    same(next(&mut responses).await?, content)?;
    drop(requests);
    same(responses.message().await?, None)
}

/// Returns how many calls the server has seen cancelled by their clients.
pub(crate) async fn cancelled_calls(services: &mut Services) -> Result<i32, Failure> {
    Ok(services.echo.cancelled_calls(Nothing {}).await?.into_inner().calls)
}

/// Waits until the server has noticed one more cancelled call.
pub(crate) async fn expect_cancellation(services: &mut Services, before: i32) -> Result<(), Failure> {
    while cancelled_calls(services).await? == before {
        monotonic_clock::wait_for(10_000_000).await;
    }
    same(cancelled_calls(services).await?, before + 1)
}

/// Runs many concurrent calls, each with its own content.
async fn concurrently<T, F>(call: impl Fn(Content) -> F) -> Result<Vec<T>, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let content = |number: usize| Content { octets: Bytes::from(number.to_string()) };
    try_join_all((0..CONCURRENT_CALLS).map(|number| call(content(number)))).await
}

/// Begins a call, and exchanges one message.
async fn begin(
    mut services: Services,
    content: Content,
) -> Result<(UnboundedSender<Content>, Streaming<Content>), Failure> {
    let (requests, receiver) = unbounded();
    _ = requests.unbounded_send(content.clone());
    let mut responses = services.echo.each(receiver).await?.into_inner();
    same(next(&mut responses).await?, content)?;
    Ok((requests, responses))
}

/// Pseudo-random content of this many bytes.
fn pattern(octets: usize) -> Bytes {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(1_u32), next).take(octets).map(|state| state.to_be_bytes()[0]).collect()
}
