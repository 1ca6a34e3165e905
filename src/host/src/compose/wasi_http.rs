//! Composes an application of `wasi:http` 0.3 with the HTTP/2 server, the HTTP/2 client, or both.

use anyhow::{Result, bail};

use super::APPLICATION;
use super::graph::{Graph, Instance, Member};
use crate::components;

const HANDLER: &str = "wasi:http/handler@";
const CLIENT: &str = "wasi:http/client@";
const RELAY: &str = "http2:wasi-http/relay@";

/// The names of these interfaces in WASI 0.2.
const HANDLER_0_2: &str = "wasi:http/incoming-handler@";
const CLIENT_0_2: &str = "wasi:http/outgoing-handler@";

/// Puts a handler into the HTTP/2 server.
///
/// The result is a command (`wasi:cli/run` 0.3) that listens, and imports the interfaces of WASI that the handler and
/// the server need. Pass the result of [`with_client`] to put a server on top of the client; pass
/// [`components::http_client`] to get a reverse proxy.
///
/// # Errors
///
/// If `handler` is not a component, or exports no `wasi:http/handler` of version 0.3.
pub fn with_server(handler: &[u8]) -> Result<Vec<u8>> {
    with_handler(components::http_server(), handler)
}

/// Puts a handler into any component that imports one: the server, or another caller of handlers.
///
/// # Errors
///
/// The errors of [`with_server`], or if `caller` is not a component.
pub fn with_handler(caller: &[u8], handler: &[u8]) -> Result<Vec<u8>> {
    let mut graph = Graph::default();
    let handler = graph.add(APPLICATION, handler)?;
    if let Some(other) = graph.exports(&handler).find(|export| export.starts_with(HANDLER_0_2)) {
        bail!("the application exports {other}, of WASI 0.2; the server takes wasi:http/handler of WASI 0.3");
    }
    if !graph.exports(&handler).any(|export| export.starts_with(HANDLER)) {
        bail!(
            "the application exports no wasi:http/handler: build it for the world wasi:http/service of WASI 0.3, or \
             compose it without the server"
        );
    }
    let caller = graph.add("the server", caller)?;
    let handler = instantiate(&mut graph, handler, &[], &[])?;
    let caller = instantiate(&mut graph, caller, &[handler], &[HANDLER])?;
    graph.encode(&caller)
}

/// Puts an application on top of the HTTP/2 client.
///
/// The client supplies `wasi:http/client` and `wasi:http/handler`, whichever the application imports. The result
/// exports the application's exports.
///
/// # Errors
///
/// If `application` is not a component, or imports neither interface in version 0.3.
pub fn with_client(application: &[u8]) -> Result<Vec<u8>> {
    let mut graph = Graph::default();
    let application = graph.add(APPLICATION, application)?;
    let takes = |name: &str| graph.imports(&application).find(|import| import.starts_with(name));
    if takes(CLIENT).or(takes(HANDLER)).is_none() {
        if let Some(other) = takes(CLIENT_0_2) {
            bail!("the application imports {other}, of WASI 0.2; the client is wasi:http/client of WASI 0.3");
        }
        bail!(
            "the application imports neither wasi:http/client nor wasi:http/handler: compose it without the client"
        );
    }
    let client = graph.add("the client", components::http_client())?;
    let client = instantiate(&mut graph, client, &[], &[])?;
    let application = instantiate(&mut graph, application, &[client], &[CLIENT, HANDLER])?;
    graph.encode(&application)
}

/// Puts the relay, which reads futures on their behalf, into the bare server or client.
pub(crate) fn with_relay(component: &[u8]) -> Result<Vec<u8>> {
    let mut graph = Graph::default();
    let component = graph.add("the component", component)?;
    let relay = graph.add("the relay", components::RELAY)?;
    let relay = instantiate(&mut graph, relay, &[], &[])?;
    let component = instantiate(&mut graph, component, &[relay], &[RELAY])?;
    graph.encode(&component)
}

/// Instantiates `member`, and links its imports whose names begin with one of `interfaces` to exports of
/// `providers`.
///
/// All other imports remain imports.
fn instantiate(
    graph: &mut Graph,
    member: Member,
    providers: &[Instance],
    interfaces: &[&str],
) -> Result<Instance> {
    let wanted = |import: &str| interfaces.iter().any(|name| import.starts_with(name));
    graph.instantiate(member, providers, wanted, |_, _| false)
}
