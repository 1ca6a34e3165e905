//! The cases of the public tests.

use std::iter::zip;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::channel::mpsc::unbounded;
use futures::future::{Either, select};
use futures::{TryStreamExt, stream};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Request};

use crate::Services;
use crate::echo::{cancelled_calls, expect_cancellation};
use crate::expect::{Failure, fails, next, same, some};
use crate::proto::grpc::{
    EchoStatus, Empty, Payload, ResponseParameters, SimpleRequest, StreamingInputCallRequest,
    StreamingOutputCallRequest,
};

const INITIAL: &str = "x-grpc-test-echo-initial";
const INITIAL_VALUE: &str = "test_initial_metadata_value";
const TRAILING: &str = "x-grpc-test-echo-trailing-bin";
const TRAILING_VALUE: &[u8] = b"\xab\xab\xab";

/// Payload sizes sent by the streaming cases, and those received.
const SENT: [usize; 4] = [27_182, 8, 1_828, 45_904];
const RECEIVED: [i32; 4] = [31_415, 9, 2_653, 58_979];

pub(crate) async fn empty_unary(mut services: Services) -> Result<(), Failure> {
    same(services.test.empty_call(Empty {}).await?.into_inner(), Empty {})
}

pub(crate) async fn large_unary(mut services: Services) -> Result<(), Failure> {
    let response = services.test.unary_call(large()).await?.into_inner();
    same(some(response.payload, "payload")?, zeros(314_159))
}

pub(crate) async fn client_streaming(mut services: Services) -> Result<(), Failure> {
    let messages = SENT.map(|size| StreamingInputCallRequest { payload: Some(zeros(size)) });
    let response = services.test.streaming_input_call(stream::iter(messages)).await?.into_inner();
    same(response.aggregated_payload_size, 74_922)
}

pub(crate) async fn server_streaming(mut services: Services) -> Result<(), Failure> {
    let response_parameters = RECEIVED.map(|size| ResponseParameters { size, interval_us: 0 }).to_vec();
    let request = StreamingOutputCallRequest { response_parameters, ..Default::default() };
    let responses = services.test.streaming_output_call(request).await?.into_inner();
    let responses: Vec<_> = responses.try_collect().await?;
    let sizes = responses.into_iter().map(|response| octets(response.payload));
    same(sizes.collect::<Vec<_>>(), RECEIVED.to_vec())
}

pub(crate) async fn ping_pong(mut services: Services) -> Result<(), Failure> {
    let (requests, receiver) = unbounded();
    let mut exchanges = zip(SENT, RECEIVED);
    // A server may wait for the first message before it responds.
    let (sent, received) = some(exchanges.next(), "exchange")?;
    _ = requests.unbounded_send(duplex(sent, received, Duration::ZERO));
    let mut responses = services.test.full_duplex_call(receiver).await?.into_inner();
    same(octets(next(&mut responses).await?.payload), received)?;
    for (sent, received) in exchanges {
        _ = requests.unbounded_send(duplex(sent, received, Duration::ZERO));
        same(octets(next(&mut responses).await?.payload), received)?;
    }
    drop(requests);
    same(responses.message().await?, None)
}

pub(crate) async fn empty_stream(mut services: Services) -> Result<(), Failure> {
    let mut responses = services.test.full_duplex_call(stream::empty()).await?.into_inner();
    same(responses.message().await?, None)
}

pub(crate) async fn custom_metadata(mut services: Services) -> Result<(), Failure> {
    let response = services.test.unary_call(with_metadata(large())).await?;
    // Tonic merges the trailers of a unary call into its initial metadata.
    same_metadata(response.metadata(), response.metadata())?;

    let requests = stream::iter([duplex(271_828, 314_159, Duration::ZERO)]);
    let (head, mut responses, _) =
        services.test.full_duplex_call(with_metadata(requests)).await?.into_parts();
    same(octets(next(&mut responses).await?.payload), 314_159)?;
    same(responses.message().await?, None)?;
    same_metadata(&head, &some(responses.trailers().await?, "metadata at the end")?)
}

pub(crate) async fn status_code_and_message(mut services: Services) -> Result<(), Failure> {
    const MESSAGE: &str = "test status message";
    unary_with_status(&mut services, MESSAGE).await?;
    let response_status = Some(unknown(MESSAGE));
    let requests = stream::iter([StreamingOutputCallRequest { response_status, ..Default::default() }]);
    // Servers may send the status in the head or in the trailers.
    let result = match services.test.full_duplex_call(requests).await {
        Ok(responses) => responses.into_inner().message().await.map(|_| ()),
        Err(status) => Err(status),
    };
    same(fails(result, Code::Unknown)?.message(), MESSAGE)
}

pub(crate) async fn special_status_message(mut services: Services) -> Result<(), Failure> {
    let message = "\t\ntest with whitespace\r\nand Unicode BMP \u{263a} and non-BMP \u{1f608}\t\n";
    unary_with_status(&mut services, message).await
}

pub(crate) async fn unimplemented_method(mut services: Services) -> Result<(), Failure> {
    fails(services.test.unimplemented_call(Empty {}).await, Code::Unimplemented).map(drop)
}

pub(crate) async fn unimplemented_service(mut services: Services) -> Result<(), Failure> {
    fails(services.unimplemented.unimplemented_call(Empty {}).await, Code::Unimplemented).map(drop)
}

pub(crate) async fn cancel_after_begin(mut services: Services) -> Result<(), Failure> {
    let before = cancelled_calls(&mut services).await?;
    let (_requests, receiver) = unbounded();
    let mut other = services.clone();
    {
        let mut call = pin!(services.test.streaming_input_call(receiver));
        // The server never sees a call cancelled before it began. A later call may overtake it, but not ten.
        for _ in 0..10 {
            match select(call.as_mut(), pin!(other.test.empty_call(Empty {}))).await {
                Either::Left((response, _)) => {
                    return same(response?.into_inner().aggregated_payload_size, -1);
                }
                Either::Right((response, _)) => _ = response?,
            }
        }
    }
    expect_cancellation(&mut services, before).await
}

pub(crate) async fn cancel_after_first_response(mut services: Services) -> Result<(), Failure> {
    let before = cancelled_calls(&mut services).await?;
    let (requests, receiver) = unbounded();
    _ = requests.unbounded_send(duplex(27_182, 31_415, Duration::ZERO));
    let mut responses = services.test.full_duplex_call(receiver).await?.into_inner();
    same(octets(next(&mut responses).await?.payload), 31_415)?;
    drop(responses);
    expect_cancellation(&mut services, before).await
}

pub(crate) async fn timeout_on_sleeping_server(mut services: Services) -> Result<(), Failure> {
    let (requests, receiver) = unbounded();
    _ = requests.unbounded_send(duplex(27_182, 31_415, Duration::from_secs(1)));
    let mut request = Request::new(receiver);
    request.set_timeout(Duration::from_millis(1));
    let result = match services.test.full_duplex_call(request).await {
        Ok(responses) => responses.into_inner().message().await.map(|_| ()),
        Err(status) => Err(status),
    };
    fails(result, Code::DeadlineExceeded)?;
    empty_unary(services).await
}

/// Expects a call to end with a status and a message.
async fn unary_with_status(services: &mut Services, message: &str) -> Result<(), Failure> {
    let request = SimpleRequest { response_status: Some(unknown(message)), ..Default::default() };
    same(fails(services.test.unary_call(request).await, Code::Unknown)?.message(), message)
}

fn unknown(message: &str) -> EchoStatus {
    EchoStatus { code: Code::Unknown as i32, message: message.to_owned() }
}

/// A request with metadata that the server must echo.
fn with_metadata<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(INITIAL, MetadataValue::from_static(INITIAL_VALUE));
    request.metadata_mut().insert_bin(TRAILING, MetadataValue::from_bytes(TRAILING_VALUE));
    request
}

/// Expects the echoed metadata.
fn same_metadata(head: &MetadataMap, end: &MetadataMap) -> Result<(), Failure> {
    let initial = some(head.get(INITIAL), "metadata at the head")?;
    same(initial.to_str().unwrap_or_default(), INITIAL_VALUE)?;
    let trailing = some(end.get_bin(TRAILING), "metadata at the end")?;
    same(&*trailing.to_bytes().unwrap_or_default(), TRAILING_VALUE)
}

fn large() -> SimpleRequest {
    SimpleRequest { response_size: 314_159, payload: Some(zeros(271_828)), response_status: None }
}

/// A message that requests one response.
pub(crate) fn duplex(sent: usize, received: i32, after: Duration) -> StreamingOutputCallRequest {
    let interval_us = i32::try_from(after.as_micros()).unwrap_or(i32::MAX);
    StreamingOutputCallRequest {
        response_parameters: vec![ResponseParameters { size: received, interval_us }],
        payload: Some(zeros(sent)),
        response_status: None,
    }
}

pub(crate) fn zeros(octets: usize) -> Payload {
    Payload { body: Bytes::from(vec![0; octets]) }
}

/// The size of a payload in bytes.
pub(crate) fn octets(payload: Option<Payload>) -> i32 {
    payload.map_or(-1, |payload| i32::try_from(payload.body.len()).unwrap_or(i32::MAX))
}
