//! Conversations of honest applications with extreme behaviour.

use std::time::Duration;

use http2_engine::Limits;
use http2_simulation::{Random, converse, with_seeds};

#[test]
fn honest_extremes_are_not_blamed() {
    let tenth = u64::from(Limits::default().abuse) / 10;
    let (mut blamed, mut highest, mut streams, mut messages) = (Vec::new(), 0, 0, 0);
    let mut time = Duration::ZERO;
    with_seeds(500, |seed| {
        let conversation = converse(Random::from_seed(seed));
        (streams, messages) = (streams + conversation.streams, messages + conversation.messages);
        time += conversation.duration;
        let score = conversation.highest_scores.into_iter().max().unwrap_or(0);
        highest = highest.max(score);
        let too_high = (score > tenth).then(|| format!("the abuse score is {score}"));
        if let Some(words) = conversation.blame.or(too_high) {
            let [client, server] = conversation.personalities;
            blamed.push(format!("SEED={seed}: {words}\n    client {client:?}\n    server {server:?}"));
        }
    });
    let hours = time.as_secs() / 3_600;
    eprintln!("{streams} streams, {messages} messages, {hours} hours; the highest abuse score is {highest}");
    assert!(blamed.is_empty(), "{} conversations:\n{}", blamed.len(), blamed.join("\n"));
}
