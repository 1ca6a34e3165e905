//! Calls of this component, and the task that does the work of all of them.
//!
//! A call is a task of the component model that ends with its answer, but connections outlive it. So one set of
//! tasks does all the work. The call that finds none running starts it; it continues after that call's answer,
//! until no call and no connection remains.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use http2_wasi_http::Tasks;
use http2_wasi_http::bindings::wasi::http::types::{ErrorCode, Request, Response};
use http2_wasi_http::signal::{Latch, Signal};

use crate::exchange::exchange;
use crate::options::Options;
use crate::pool::Pool;

thread_local! {
    static WORK: Rc<Work> = Rc::new(Work::new());
}

/// State shared by all calls.
struct Work {
    tasks: Tasks,
    /// The connections, or the error in the options.
    pool: Result<Pool, String>,
    is_running: Cell<bool>,
}

/// The pending answer of a call.
#[derive(Default)]
struct Answer {
    result: RefCell<Option<Result<Response, ErrorCode>>>,
    given: Signal,
    /// Set when the call is cancelled.
    abandoned: Latch,
}

/// Sends a request, and waits for the head of its response.
///
/// # Errors
///
/// Those of [`exchange`], or `internal-error` with the reason if the options are invalid.
pub(crate) async fn send(request: Request) -> Result<Response, ErrorCode> {
    let work = WORK.with(Rc::clone);
    let pool = work.pool.clone().map_err(|wrong| ErrorCode::InternalError(Some(wrong)))?;
    let answer = Rc::new(Answer::default());
    let to = Rc::clone(&answer);
    let busy = pool.busy();
    work.tasks.spawn(async move {
        // If the call is cancelled, dropping the exchange cancels the stream.
        if let Some(result) = to.abandoned.or(exchange(&pool, request)).await {
            *to.result.borrow_mut() = Some(result);
            to.given.give();
        }
        drop(busy);
    });
    work.ensure_running();
    let unless_answered = Abandon(&answer);
    answer.given.wait().await;
    drop(unless_answered);
    answer.result.take().unwrap_or(Err(ErrorCode::ConnectionTerminated))
}

/// Marks an answer as abandoned when dropped.
struct Abandon<'a>(&'a Answer);

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        self.0.abandoned.set();
    }
}

impl Work {
    fn new() -> Self {
        let tasks = Tasks::new();
        let options = Options::read(|name| std::env::var(name).ok());
        let pool = options.map(|options| Pool::new(options, &tasks));
        Self { tasks, pool, is_running: Cell::new(false) }
    }

    fn ensure_running(self: &Rc<Self>) {
        if self.is_running.replace(true) {
            return;
        }
        let work = Rc::clone(self);
        wit_bindgen::spawn_local(async move {
            if let Ok(pool) = &work.pool {
                work.tasks.run(pool.attend()).await;
            }
            work.is_running.set(false);
        });
    }
}
