//! Requests to a server with `GET /` and an echo at `POST /echo`.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{Request, Uri};
use http2_tokio::client::{self, SendRequest};
use http2_tokio::wasi::{Clock, TcpStream};
use http2_tokio::{Config, Error};

use crate::Result;

const REQUESTS: usize = 1_000;
const CONCURRENT: usize = 100;
/// Bytes sent and received.
const ECHOED: usize = 10_000_000;

async fn connect(address: &str) -> std::result::Result<SendRequest, Box<dyn std::error::Error>> {
    let socket = TcpStream::connect(address).await?;
    let (client, connection) = client::handshake_with_clock(socket, Config::default(), Clock::new())?;
    tokio::spawn(connection);
    Ok(client)
}

/// Sends 1,000 requests on one connection, 100 of them at a time.
pub(crate) async fn many(address: &str) -> Result {
    let client = connect(address).await?;
    let uri: Uri = format!("http://{address}/").parse()?;
    let sizes: Vec<usize> = futures::stream::iter(0..REQUESTS)
        .map(|_| get(client.clone(), uri.clone()))
        .buffer_unordered(CONCURRENT)
        .try_collect()
        .await?;
    assert_eq!(sizes.len(), REQUESTS);
    assert!(sizes.iter().all(|&size| size > 0 && size == sizes[0]), "{sizes:?}");
    Ok(())
}

/// Returns the size of the content.
async fn get(mut client: SendRequest, uri: Uri) -> std::result::Result<usize, Error> {
    client.ready().await?;
    let request = Request::get(uri).body(()).expect("a valid request");
    let response = client.send_request(request, true)?.0.await?;
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    let mut size = 0;
    while let Some(data) = body.data().await {
        size += data?.len();
    }
    Ok(size)
}

/// Sends 10 MB, and receives them at the same time.
pub(crate) async fn echo(address: &str) -> Result {
    let content: Bytes = (0..ECHOED).map(|at| (at / 251 + at % 251) as u8).collect::<Vec<_>>().into();
    let mut client = connect(address).await?;
    client.ready().await?;
    let request = Request::post(format!("http://{address}/echo")).body(())?;
    let (response, mut upload) = client.send_request(request, false)?;
    let sent = content.clone();
    let send = async move {
        upload.send(sent).await?;
        upload.finish()
    };
    let receive = async {
        let mut body = response.await?.into_body();
        let mut received = Vec::with_capacity(ECHOED);
        while let Some(data) = body.data().await {
            received.extend_from_slice(&data?);
        }
        Ok::<_, Error>(received)
    };
    let ((), received) = tokio::try_join!(send, receive)?;
    assert_eq!(received.len(), ECHOED);
    assert!(received == content, "the content differs");
    Ok(())
}
