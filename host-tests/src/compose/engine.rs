//! Composes an application with the engine and a socket component.

use anyhow::{Result, bail};

use super::APPLICATION;
use super::graph::{Graph, Instance, Member};
use crate::components;

/// The package whose interfaces are linked.
const PACKAGE: &str = "http2:engine/";

/// What the components are called in messages.
const ENGINE: &str = "the engine";
const TRANSPORT: &str = "the transport component";

/// An application with all that it imports of `http2:engine`, except for what the host is to supply.
///
/// The application and the engine must get `byte-stream` from one and the same instance, since the application
/// hands the engine the streams that it gets from the socket component. `wac plug` cannot say that; this can.
#[derive(Clone, Copy, Debug)]
pub struct Composition<'a> {
    engine: &'a [u8],
    transport: Option<&'a [u8]>,
}

impl Default for Composition<'_> {
    /// The engine, and the socket component over wasi:sockets.
    fn default() -> Self {
        Self { engine: components::ENGINE, transport: Some(components::TCP) }
    }
}

impl<'a> Composition<'a> {
    /// Takes another component as transport: one that exports `http2:engine/transport`, and `http2:engine/tcp` for
    /// applications that import it.
    #[must_use]
    pub fn transport(self, component: &'a [u8]) -> Self {
        Self { transport: Some(component), ..self }
    }

    /// Leaves the transport an import, for the host to supply.
    #[must_use]
    pub fn host_transport(self) -> Self {
        Self { transport: None, ..self }
    }

    /// Composes `application`: the result imports what it needs of WASI, and exports what the application exports.
    ///
    /// # Errors
    ///
    /// If the application is no component, imports nothing of `http2:engine`, or imports of it what neither the
    /// engine nor the transport exports in such a version and shape.
    pub fn compose(&self, application: &[u8]) -> Result<Vec<u8>> {
        let mut graph = Graph::default();
        let application = graph.add(APPLICATION, application)?;
        if !graph.imports(&application).any(|name| name.starts_with(PACKAGE)) {
            bail!("the application imports nothing of http2:engine: there is nothing to compose it with");
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

    /// Instantiates `member` with what `providers` export of `http2:engine`. The host is left the transport, if no
    /// component is given for it, and types.
    fn instantiate(&self, graph: &mut Graph, member: Member, providers: &[Instance]) -> Result<Instance> {
        let of_the_host = ["http2:engine/transport@", "http2:engine/tcp@"];
        let optional = |graph: &Graph, interface: &str| {
            graph.is_types_alone(&member, interface)
                || self.transport.is_none() && of_the_host.iter().any(|name| interface.starts_with(name))
        };
        graph.instantiate(member, providers, |import| import.starts_with(PACKAGE), optional)
    }
}
