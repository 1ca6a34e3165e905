//! Composes an application with the engine and a socket component.
//!
//! The application and the engine must get `byte-stream` from one and the same instance, since the application
//! hands the engine the streams that it gets from the socket component. `wac plug` cannot say that; this can.

use anyhow::{Context, Result, anyhow, bail};
use wac_graph::types::{ItemKind, Package, Type, are_semver_compatible};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};

use crate::components;

/// The package whose interfaces are linked.
const PACKAGE: &str = "http2:engine/";

/// What the components are called in messages.
const APPLICATION: &str = "the application";
const ENGINE: &str = "the engine";
const TRANSPORT: &str = "the transport component";

/// An application with all that it imports of `http2:engine`, except for what the host is to supply.
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
            providers.push(graph.instantiate(transport, &[])?);
        }
        if graph.shares_interface(&application, &engine) {
            providers.push(graph.instantiate(engine, &providers)?);
        }
        let application = graph.instantiate(application, &providers)?;
        graph.export_all(&application)?;
        graph.composition.encode(EncodeOptions::default()).context("the composed component is not valid")
    }
}

/// A component in the graph.
#[derive(Clone, Copy)]
struct Member {
    /// What it is called in messages.
    role: &'static str,
    package: PackageId,
}

/// An instance of a component in the graph.
struct Instance {
    of: Member,
    node: NodeId,
}

#[derive(Default)]
struct Graph {
    composition: CompositionGraph,
}

impl Graph {
    /// Adds a component, after a look at whether it is one.
    fn add(&mut self, role: &'static str, bytes: &[u8]) -> Result<Member> {
        match bytes.get(..8) {
            Some(b"\0asm\x0d\0\x01\0") => {}
            Some(b"\0asm\x01\0\0\0") => bail!(
                "{role} is a core module, not a component: build it for wasm32-wasip2, or turn it into one with \
                 wasm-tools component new"
            ),
            _ => bail!("{role} is not a WebAssembly component in binary form"),
        }
        let package = Package::from_bytes(role, None, bytes, self.composition.types_mut())
            .with_context(|| format!("{role} is not a valid component"))?;
        let package = self.composition.register_package(package).context("a component was added twice")?;
        Ok(Member { role, package })
    }

    fn imports(&self, member: &Member) -> impl Iterator<Item = &str> {
        let world = self.composition[member.package].ty();
        self.composition.types()[world].imports.keys().map(String::as_str)
    }

    fn exports(&self, member: &Member) -> impl Iterator<Item = &str> {
        let world = self.composition[member.package].ty();
        self.composition.types()[world].exports.keys().map(String::as_str)
    }

    /// The name under which `member` exports `interface`, in the same or a compatible version.
    fn compatible_export(&self, member: &Member, interface: &str) -> Option<&str> {
        self.exports(member).find(|export| are_semver_compatible(export, interface))
    }

    /// Whether `importer` imports what `exporter` exports, in whatever version.
    fn shares_interface(&self, importer: &Member, exporter: &Member) -> bool {
        self.imports(importer)
            .any(|import| self.exports(exporter).any(|export| name_of(export) == name_of(import)))
    }

    /// Instantiates `member` with what `providers` export of `http2:engine`.
    fn instantiate(&mut self, member: Member, providers: &[Instance]) -> Result<Instance> {
        let instance = Instance { of: member, node: self.composition.instantiate(member.package) };
        let wanted: Vec<_> =
            self.imports(&member).filter(|name| name.starts_with(PACKAGE)).map(str::to_owned).collect();
        for interface in wanted {
            let found = providers.iter().find_map(|provider| {
                self.compatible_export(&provider.of, &interface).map(|export| (provider, export.to_owned()))
            });
            match found {
                Some((provider, export)) => self.link(&instance, &interface, provider, &export)?,
                None if self.may_stay_import(&member, &interface, providers) => {}
                None => return Err(self.missing(member, &interface, providers)),
            }
        }
        Ok(instance)
    }

    fn link(
        &mut self,
        instance: &Instance,
        interface: &str,
        provider: &Instance,
        export: &str,
    ) -> Result<()> {
        let argument = self.composition.alias_instance_export(provider.node, export)?;
        self.composition.set_instantiation_argument(instance.node, interface, argument).with_context(|| {
            format!("{} has another {interface} than {} exports", instance.of.role, provider.of.role)
        })
    }

    /// Whether an import that nobody supplies is left to the host: one of types alone, or, if no transport is
    /// given, that of the transport.
    fn may_stay_import(&self, member: &Member, interface: &str, providers: &[Instance]) -> bool {
        let types = self.composition.types();
        let world = self.composition[member.package].ty();
        if let Some(ItemKind::Instance(id)) = types[world].imports.get(interface)
            && types[*id].exports.values().all(|item| matches!(item, ItemKind::Type(Type::Value(_))))
        {
            return true;
        }
        let transport = ["http2:engine/transport@", "http2:engine/tcp@"];
        !providers.iter().any(|provider| provider.of.role == TRANSPORT)
            && transport.iter().any(|prefix| interface.starts_with(prefix))
    }

    /// Why `interface` is not to be had from `providers`.
    fn missing(&self, member: Member, interface: &str, providers: &[Instance]) -> anyhow::Error {
        let role = member.role;
        let other_version = providers.iter().find_map(|provider| {
            let export = self.exports(&provider.of).find(|export| name_of(export) == name_of(interface))?;
            Some((provider.of.role, export))
        });
        match other_version {
            Some((provider, export)) => {
                anyhow!("{role} imports {interface}, but {provider} exports {export}")
            }
            None => anyhow!("{role} imports {interface}, which no component of the composition exports"),
        }
    }

    /// Exports from the composition what `instance` exports.
    fn export_all(&mut self, instance: &Instance) -> Result<()> {
        let names: Vec<_> = self.exports(&instance.of).map(str::to_owned).collect();
        for name in names {
            let export = self.composition.alias_instance_export(instance.node, &name)?;
            self.composition.export(export, name)?;
        }
        Ok(())
    }
}

/// The name of an interface without its version.
fn name_of(interface: &str) -> &str {
    interface.split_once('@').map_or(interface, |(name, _version)| name)
}
