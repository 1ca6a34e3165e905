//! One request and its response.

use std::io::Write;

use futures::channel::{mpsc, oneshot};
use futures::future::{Either, select};
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Response};
use wasip3::wit_bindgen::{StreamResult, spawn_local};
use wasip3::{wit_future, wit_stream};

use crate::content::{self, Hash};
use crate::order::Order;

/// Size of the buffer for reading content, in bytes.
const CHUNK: usize = 64 << 10;
/// How much of each piece of content is printed, in bytes.
const TOLD: usize = 200;

/// Controls of an exchange that is running.
pub(crate) struct Controls {
    cancel: Option<oneshot::Sender<()>>,
    read: Option<oneshot::Sender<()>>,
    content: Option<mpsc::UnboundedSender<usize>>,
}

impl Controls {
    /// Executes an order; an order that comes too late has no effect.
    pub(crate) fn follow(&mut self, verb: &str, argument: Option<&str>) -> Result<(), String> {
        match (verb, argument) {
            ("cancel", None) => _ = self.cancel.take().map(|cancel| cancel.send(())),
            ("read", None) => _ = self.read.take().map(|read| read.send(())),
            ("end", None) => drop(self.content.take()),
            ("more", Some(octets)) => {
                let octets = octets.parse().map_err(|_| "invalid number of bytes")?;
                _ = self.content.as_ref().map(|content| content.unbounded_send(octets));
            }
            _ => return Err("unknown order".to_owned()),
        }
        Ok(())
    }
}

/// Creates an exchange, which the caller must run, and its controls.
pub(crate) fn new(id: &str, order: Order) -> (impl Future<Output = ()> + use<>, Controls) {
    let ((cancel, cancelled), (read, may_read)) = (oneshot::channel(), oneshot::channel());
    let (content, orders) = mpsc::unbounded();
    let controls =
        Controls { cancel: Some(cancel), read: Some(read), content: order.open.then_some(content) };
    let id = id.to_owned();
    let exchange = async move {
        let orders = order.open.then_some(orders);
        let run = Box::pin(run(&id, &order, orders, may_read));
        if let Either::Right((_, run)) = select(run, cancelled).await {
            drop(run);
            print_line(&id, "cancelled", "");
        }
    };
    (exchange, controls)
}

async fn run(
    id: &str,
    order: &Order,
    orders: Option<mpsc::UnboundedReceiver<usize>>,
    may_read: oneshot::Receiver<()>,
) {
    let has_content = order.content.is_some() || order.open;
    let (end_writer, end) = wit_future::new(|| Ok(None));
    // The end of a request without content is known at once.
    let end_writer = Some(end_writer).filter(|_| has_content || order.has_end());
    let (content_writer, content) = if has_content {
        let (writer, content) = wit_stream::new();
        (Some(writer), Some(content))
    } else {
        (None, None)
    };
    let (request, sent) = match order.request(content, end) {
        Ok(made) => made,
        Err(wrong) => return print_line(id, "error", &format!("Unmade({wrong})")),
    };
    let (first, ending, name) = (order.content.unwrap_or(0), order.end(), id.to_owned());
    spawn_local(async move {
        if let Some(writer) = content_writer {
            content::write(&name, writer, first, orders).await;
        }
        if let Some(writer) = end_writer {
            _ = writer.write(ending).await;
        }
    });
    let name = id.to_owned();
    spawn_local(async move {
        let sent = sent.await;
        print_line(&name, "sent", &sent.map_or_else(|code| describe(&code), |()| "Ok".to_owned()));
    });
    match client::send(request).await {
        Ok(response) => {
            let head = format!("{}{}", response.get_status_code(), lines(&response.get_headers()));
            print_line(id, "head", &head);
            receive(id, order.unread, response, may_read).await;
        }
        Err(code) => print_line(id, "error", &describe(&code)),
    }
}

async fn receive(id: &str, is_unread: bool, response: Response, may_read: oneshot::Receiver<()>) {
    let (_result, result) = wit_future::new(|| Ok(()));
    let (mut content, end) = Response::consume_body(response, result);
    if is_unread {
        // If the sender is dropped, the content is read as well.
        _ = may_read.await;
    }
    let (mut count, mut hash) = (0_usize, Hash::new());
    let mut buffer = Vec::with_capacity(CHUNK);
    loop {
        let (result, mut octets) = content.read(buffer).await;
        count += octets.len();
        hash.add(&octets);
        if !octets.is_empty() {
            let told = octets.get(..TOLD).unwrap_or(&octets).escape_ascii();
            print_line(id, "data", &format!("{}\t{told}", octets.len()));
        }
        if !matches!(result, StreamResult::Complete(_)) {
            break;
        }
        octets.clear();
        buffer = octets;
    }
    match end.await {
        Ok(trailers) => {
            let trailers = trailers.map_or_else(|| "\tnone".to_owned(), |trailers| lines(&trailers));
            print_line(id, "end", &format!("{count}\t{}{trailers}", hash.hex()));
        }
        Err(code) => print_line(id, "cut", &format!("{count}\t{}", describe(&code))),
    }
}

/// The fields, each after a tab.
fn lines(fields: &Fields) -> String {
    let line = |(name, value): (String, Vec<u8>)| format!("\t{name}: {}", value.escape_ascii());
    fields.copy_all().into_iter().map(line).collect()
}

/// The name of an error in Rust.
fn describe(code: &ErrorCode) -> String {
    format!("{code:?}").replace("ErrorCode::", "")
}

/// Prints a line of the answer.
pub(crate) fn print_line(id: &str, kind: &str, rest: &str) {
    let mut stdout = std::io::stdout();
    // The test may have stopped reading.
    _ = writeln!(stdout, "{id}\t{kind}\t{rest}").and_then(|()| stdout.flush());
}
