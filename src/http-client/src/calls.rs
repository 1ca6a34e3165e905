//! Calls of this component, and their shared task set.
//!
//! A call is a task of the component model and ends with its answer, but connections outlive it. So one set of
//! tasks serves all calls. A call starts the set if it is not running; the set continues after the call's answer,
//! until no call and no connection remains.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use http2_wasi_http::Tasks;
use http2_wasi_http::bindings::wasi::http::types::{ErrorCode, Request, Response};
use http2_wasi_http::signal::{Latch, Signal};

use crate::bindings::wasi::cli::environment;
use crate::exchange::exchange;
use crate::options::Options;
use crate::pool::Pool;

thread_local! {
    static RUNTIME: Rc<Runtime> = Rc::new(Runtime::new());
}

/// State shared by all calls.
struct Runtime {
    tasks: Tasks,
    /// The connections, or the error in the options.
    pool: Result<Pool, String>,
    is_running: Cell<bool>,
}

/// The pending answer of a call.
#[derive(Default)]
struct PendingCall {
    result: RefCell<Option<Result<Response, ErrorCode>>>,
    answered: Signal,
    /// Set when the call is cancelled.
    cancelled: Latch,
}

/// Sends a request, and waits for the head of its response.
///
/// # Errors
///
/// Those of [`exchange`], or `internal-error` with the reason if the options are invalid.
pub(crate) async fn send(request: Request) -> Result<Response, ErrorCode> {
    let runtime = RUNTIME.with(Rc::clone);
    let pool = runtime.pool.clone().map_err(|wrong| ErrorCode::InternalError(Some(wrong)))?;
    let call = Rc::new(PendingCall::default());
    let pending = Rc::clone(&call);
    let busy = pool.busy();
    runtime.tasks.spawn(async move {
        // If the call is cancelled, dropping the exchange cancels the stream.
        if let Some(result) = pending.cancelled.or(exchange(&pool, request)).await {
            *pending.result.borrow_mut() = Some(result);
            pending.answered.notify();
        }
        drop(busy);
    });
    runtime.ensure_running();
    let cancel_on_drop = CancelOnDrop(&call);
    call.answered.wait().await;
    drop(cancel_on_drop);
    call.result.take().unwrap_or(Err(ErrorCode::ConnectionTerminated))
}

/// Cancels the call when dropped.
struct CancelOnDrop<'a>(&'a PendingCall);

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        self.0.cancelled.set();
    }
}

impl Runtime {
    fn new() -> Self {
        let tasks = Tasks::new();
        let variables = environment::get_environment();
        let variable =
            |name: &str| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let options = Options::read(variable);
        let pool = options.map(|options| Pool::new(options, &tasks));
        Self { tasks, pool, is_running: Cell::new(false) }
    }

    fn ensure_running(self: &Rc<Self>) {
        if self.is_running.replace(true) {
            return;
        }
        let runtime = Rc::clone(self);
        wit_bindgen::spawn_local(async move {
            // The application may call again at any time.
            let _application = runtime.tasks.outstanding();
            if let Ok(pool) = &runtime.pool {
                runtime.tasks.run(pool.maintain()).await;
            }
            runtime.is_running.set(false);
        });
    }
}
