//! Requests that `http2_client.wasm` cancels. They come from the guest `http-requests`, which the tests of `wasi:http`
//! have, too.

#[allow(dead_code, reason = "the tests of wasi:http use the rest")]
#[path = "../wasi_http/requests.rs"]
mod requests;

use std::panic;

use anyhow::{Result, anyhow, ensure};

use requests::{Client, Request};

/// Milliseconds after which a response comes, and after which it is given up: some cross each other.
const DELAY: u64 = 20;

/// Cancels 100 and 1,000 requests that are under way at once, after which another one has to be answered; returns the
/// number of requests.
pub(crate) fn cancel(url: &str) -> Result<u64> {
    let run = || [100, 1_000].into_iter().try_fold(0, |requests, count| Ok(requests + round(url, count)?));
    // The guest's side of the tests panics where they fail.
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
        let (status, _) = exchange.head().map_err(|code| anyhow!("{count} requests without end: {code}"))?;
        ensure!(status == 200, "status {status}");
    }
    exchanges.iter_mut().for_each(requests::Exchange::cancel);
    check(&client, url)?;

    let delayed = request(&format!("/delay/{DELAY}")).option("first-byte-timeout", &DELAY.to_string());
    let mut exchanges: Vec<_> = (0..count).map(|_| client.send(&delayed)).collect();
    for exchange in &mut exchanges {
        match exchange.head() {
            Ok((200, _)) => {}
            Err(code) if code.contains("Timeout") => {}
            other => return Err(anyhow!("{count} requests that are given up: {other:?}")),
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
