//! Composes an application with the engine and a socket component.

use anyhow::{Result, bail};

use super::APPLICATION;
use super::graph::{Graph, Instance, Member};
use crate::components;

/// The package whose interfaces are linked.
const PACKAGE: &str = "http2:engine/";

/// The names of the components in error messages.
const ENGINE: &str = "the engine";
const TRANSPORT: &str = "the transport component";

/// Composes an application with every import of `http2:engine`, except those that the host supplies.
///
/// The application passes byte-streams from the socket component to the engine, so both must import `byte-stream` from
/// the same instance. `wac plug` cannot express that.
#[derive(Clone, Copy, Debug)]
pub struct Composition<'a> {
    engine: &'a [u8],
    transport: Option<&'a [u8]>,
}

impl Default for Composition<'_> {
    /// Uses the engine, and the socket component over wasi:sockets.
    fn default() -> Self {
        Self { engine: components::ENGINE, transport: Some(components::TCP) }
    }
}

impl<'a> Composition<'a> {
    /// Uses another component as the transport.
    ///
    /// It must export `http2:engine/transport`, and also `http2:engine/tcp` if the application imports it.
    #[must_use]
    pub fn transport(self, component: &'a [u8]) -> Self {
        Self { transport: Some(component), ..self }
    }

    /// Leaves the transport as an import of the result, for the host to supply.
    #[must_use]
    pub fn host_transport(self) -> Self {
        Self { transport: None, ..self }
    }

    /// Composes `application`.
    ///
    /// The result imports what remains of WASI, and exports the application's exports.
    ///
    /// # Errors
    ///
    /// If the application is not a component, imports no interface of `http2:engine`, or imports one that neither the
    /// engine nor the transport exports in a matching version and shape.
    pub fn compose(&self, application: &[u8]) -> Result<Vec<u8>> {
        let mut graph = Graph::default();
        let application = graph.add(APPLICATION, application)?;
        if !graph.imports(&application).any(|name| name.starts_with(PACKAGE)) {
            bail!(
                "the application imports nothing of http2:engine: build it for the world command of wit/world.wit, \
                 or compose it with the server or the client if it is an application of wasi:http"
            );
        }
        let engine = graph.add(ENGINE, self.engine)?;
        let mut providers = Vec::new();
        if let Some(transport) = self.transport {
            let transport = graph.add(TRANSPORT, transport)?;
            providers.push(self.instantiate(&mut graph, transport, &[])?);
        }
        if graph.shares_interface(&application, &engine) {
            providers.push(self.instantiate(&mut graph, engine, &providers)?);
        }
        let application = self.instantiate(&mut graph, application, &providers)?;
        graph.encode(&application)
    }

    /// Instantiates `member` with the exports of `providers` from `http2:engine`.
    ///
    /// Interfaces of types remain imports, and so does the transport if no component supplies it.
    fn instantiate(&self, graph: &mut Graph, member: Member, providers: &[Instance]) -> Result<Instance> {
        let of_the_host = ["http2:engine/transport@", "http2:engine/tcp@"];
        let optional = |graph: &Graph, interface: &str| {
            graph.is_types_alone(&member, interface)
                || self.transport.is_none() && of_the_host.iter().any(|name| interface.starts_with(name))
        };
        graph.instantiate(member, providers, |import| import.starts_with(PACKAGE), optional)
    }
}
