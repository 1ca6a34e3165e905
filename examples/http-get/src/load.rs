//! Many requests, to see how fast it goes.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use futures::future::join_all;

use crate::exchange;
use crate::failure::Failure;
use crate::options::Load;
use crate::output::Output;
use crate::request::Template;

/// Sends the requests, so many at a time, and prints how long they took.
///
/// Fails with the first failure, after which no more are sent.
pub(crate) async fn run(load: Load, templates: &[Template<'_>]) -> Result<(), Failure> {
    let began = Instant::now();
    let (started, succeeded, failure) = (Cell::new(0), Cell::new(0), RefCell::new(None));
    let lane = async || {
        let mut output = Output::nothing();
        while started.get() < load.requests && failure.borrow().is_none() {
            let index = started.replace(started.get() + 1) % templates.len() as u64;
            match exchange::run(&templates[index as usize], &mut output).await {
                Ok(()) => succeeded.set(succeeded.get() + 1),
                Err(error) => _ = failure.borrow_mut().get_or_insert(error),
            }
        }
    };
    join_all((0..load.at_a_time.min(load.requests)).map(|_| lane())).await;
    let seconds = began.elapsed().as_secs_f64();
    let succeeded = succeeded.get();
    let rate = if seconds > 0.0 { succeeded as f64 / seconds } else { 0.0 };
    println!(
        "{} requests: {succeeded} succeeded, {} failed, {seconds:.3} s, {rate:.0} req/s",
        load.requests,
        load.requests - succeeded
    );
    failure.into_inner().map_or(Ok(()), Err)
}
