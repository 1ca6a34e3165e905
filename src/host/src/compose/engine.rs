//! Composes an application with the engine and a transport.

use anyhow::{Result, bail};

use super::APPLICATION;
use super::graph::{Graph, Instance, Member};
use crate::components;

/// The package whose interfaces are linked.
const PACKAGE: &str = "http2:engine/";

/// The names of the components in error messages.
const ENGINE: &str = "the engine";
const TRANSPORT: &str = "the transport component";

/// Interfaces whose imports call for the engine, rather than for a transport alone.
const OF_THE_ENGINE: [&str; 2] = ["http2:engine/connection@", "http2:engine/over-tcp@"];

/// Composes an application with every import of `http2:engine`, except those that the host supplies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Composition<'a> {
    transport: Transport<'a>,
}

/// The provider of byte-streams.
#[derive(Clone, Copy, Debug, Default)]
enum Transport<'a> {
    /// TCP over wasi:sockets, in one component with the engine.
    #[default]
    Tcp,
    /// Another component.
    ///
    /// The application passes byte-streams from it to the engine, so both must import `byte-stream` from the same
    /// instance. `wac plug` cannot express that.
    Component(&'a [u8]),
    Host,
}

impl<'a> Composition<'a> {
    /// Uses another component as the transport.
    ///
    /// It must export `http2:engine/transport`, and also `http2:engine/tcp` if the application imports it.
    #[must_use]
    pub fn transport(self, component: &'a [u8]) -> Self {
        Self { transport: Transport::Component(component) }
    }

    /// Leaves the transport as an import of the result, for the host to supply.
    #[must_use]
    pub fn host_transport(self) -> Self {
        Self { transport: Transport::Host }
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
        let uses_engine = graph
            .imports(&application)
            .any(|import| OF_THE_ENGINE.iter().any(|interface| import.starts_with(interface)));
        let (transport, engine) = match self.transport {
            Transport::Tcp if uses_engine => (None, Some(components::ENGINE_OVER_TCP)),
            Transport::Tcp => (Some(components::TCP), None),
            Transport::Component(transport) => (Some(transport), uses_engine.then_some(components::ENGINE)),
            Transport::Host => (None, uses_engine.then_some(components::ENGINE)),
        };
        let mut providers = Vec::new();
        for (role, component) in [(TRANSPORT, transport), (ENGINE, engine)] {
            if let Some(component) = component {
                let member = graph.add(role, component)?;
                providers.push(self.instantiate(&mut graph, member, &providers)?);
            }
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
                || matches!(self.transport, Transport::Host)
                    && of_the_host.iter().any(|name| interface.starts_with(name))
        };
        graph.instantiate(member, providers, |import| import.starts_with(PACKAGE), optional)
    }
}
