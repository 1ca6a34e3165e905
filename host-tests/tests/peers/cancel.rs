//! Requests that `http2_client.wasm` cancels, made by the guest `http-requests` of the `wasi:http` tests.

use std::panic;

use anyhow::{Result, anyhow, ensure};
use host_tests::support::requests::{Client, Exchange, Request};

/// The delay of a response, and the time after which it is cancelled, in milliseconds: equal, so that some
/// cross.
const DELAY: u64 = 20;

/// Cancels 100 and 1,000 concurrent requests, and checks that another request then succeeds; returns the
/// number of requests.
pub(crate) fn cancel(url: &str) -> Result<u64> {
    let run = || [100, 1_000].into_iter().try_fold(0, |requests, count| Ok(requests + round(url, count)?));
    // The guest side of the tests panics on failure.
    panic::catch_unwind(run).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map_or("the guest ended", String::as_str);
        Err(anyhow!("{text}"))
    })
}

fn round(url: &str, count: u64) -> Result<u64> {
    let client = Client::start();
    let request = |path: &str| Request::new("GET", &format!("{url}{path}"));

    let endless = request("/endless").with("unread");
    let mut exchanges: Vec<_> = (0..count).map(|_| client.send(&endless)).collect();
    for exchange in &mut exchanges {
        let (status, _) = exchange.head().map_err(|code| anyhow!("{count} endless requests: {code}"))?;
        ensure!(status == 200, "status {status}");
    }
    exchanges.iter_mut().for_each(Exchange::cancel);
    check(&client, url)?;

    let delayed = request(&format!("/delay/{DELAY}")).option("first-byte-timeout", &DELAY.to_string());
    let mut exchanges: Vec<_> = (0..count).map(|_| client.send(&delayed)).collect();
    for exchange in &mut exchanges {
        match exchange.head() {
            Ok((200, _)) => {}
            Err(code) if code.contains("Timeout") => {}
            other => return Err(anyhow!("{count} cancelled requests: {other:?}")),
        }
    }
    check(&client, url)?;
    Ok(2 * count + 2)
}

fn check(client: &Client, url: &str) -> Result<()> {
    let response = client.get(&format!("{url}/")).response();
    let response = response.map_err(|code| anyhow!("after cancelled requests: {code}"))?;
    ensure!((response.status, &response.end) == (200, &Ok(None)), "after cancelled requests: {response:?}");
    Ok(())
}
