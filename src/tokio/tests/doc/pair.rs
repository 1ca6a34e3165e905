/// A server that sends each request's content and trailers back.
pub(crate) async fn echo(
    mut server: http2_tokio::server::Connection<tokio::io::DuplexStream>,
) -> Result<(), http2_tokio::Error> {
    while let Some(request) = server.accept().await {
        let (request, mut respond) = request?;
        tokio::spawn(async move {
            let mut received = request.into_body();
            let mut content = respond.send_response(http::Response::new(()), false)?;
            while let Some(data) = received.data().await {
                content.send(data?).await?;
            }
            match received.trailers().await? {
                Some(trailers) => content.send_trailers(&trailers),
                None => content.finish(),
            }
        });
    }
    Ok(())
}

/// A client, whose connection runs, and a server, whose connection does not.
pub(crate) fn pair() -> Result<
    (http2_tokio::client::SendRequest, http2_tokio::server::Connection<tokio::io::DuplexStream>),
    http2_tokio::Error,
> {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let (client, connection) = http2_tokio::client::handshake(ours, http2_tokio::Config::default())?;
    tokio::spawn(connection);
    Ok((client, http2_tokio::server::handshake(theirs, http2_tokio::Config::default())?))
}
