//! Components as the nodes of a graph, and the links between them.

use anyhow::{Context, Result, anyhow, bail};
use wac_graph::types::{ItemKind, Package, Type, are_semver_compatible};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};

/// A component in the graph.
#[derive(Clone, Copy)]
pub(super) struct Member {
    /// The component's name in error messages.
    role: &'static str,
    package: PackageId,
}

/// An instance of a component in the graph.
pub(super) struct Instance {
    of: Member,
    node: NodeId,
}

/// Components, their instances, and the links between them.
///
/// An import without a link becomes an import of the whole.
#[derive(Default)]
pub(super) struct Graph {
    composition: CompositionGraph,
}

impl Graph {
    /// Adds a component, after checking its header.
    pub(super) fn add(&mut self, role: &'static str, bytes: &[u8]) -> Result<Member> {
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

    pub(super) fn imports(&self, member: &Member) -> impl Iterator<Item = &str> {
        let world = self.composition[member.package].ty();
        self.composition.types()[world].imports.keys().map(String::as_str)
    }

    pub(super) fn exports(&self, member: &Member) -> impl Iterator<Item = &str> {
        let world = self.composition[member.package].ty();
        self.composition.types()[world].exports.keys().map(String::as_str)
    }

    /// Returns the name under which `member` exports `interface` in the same or a compatible version.
    pub(super) fn compatible_export(&self, member: &Member, interface: &str) -> Option<&str> {
        self.exports(member).find(|export| are_semver_compatible(export, interface))
    }

    /// Returns whether an import of `member` is an interface that only defines types other than resources, which needs
    /// no provider.
    pub(super) fn is_types_alone(&self, member: &Member, interface: &str) -> bool {
        let types = self.composition.types();
        let world = self.composition[member.package].ty();
        let Some(ItemKind::Instance(id)) = types[world].imports.get(interface) else { return false };
        types[*id].exports.values().all(|item| matches!(item, ItemKind::Type(Type::Value(_))))
    }

    /// Instantiates `member`, and links each import for which `wanted` is true to an export of `providers`.
    ///
    /// Fails if no provider exports such an interface, unless `optional` is true for it.
    pub(super) fn instantiate(
        &mut self,
        member: Member,
        providers: &[Instance],
        wanted: impl Fn(&str) -> bool,
        optional: impl Fn(&Self, &str) -> bool,
    ) -> Result<Instance> {
        let instance = Instance { of: member, node: self.composition.instantiate(member.package) };
        let wanted: Vec<_> =
            self.imports(&member).filter(|import| wanted(import)).map(str::to_owned).collect();
        for interface in wanted {
            let found = providers.iter().find_map(|provider| {
                self.compatible_export(&provider.of, &interface).map(|export| (provider, export.to_owned()))
            });
            match found {
                Some((provider, export)) => self.link(&instance, &interface, provider, &export)?,
                None if optional(self, &interface) => {}
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
            let (importer, exporter) = (instance.of.role, provider.of.role);
            format!(
                "{importer} imports a different {interface} from the one that {exporter} exports: build both with the \
                 same WIT files"
            )
        })
    }

    /// Explains why no provider satisfies the import of `interface`.
    fn missing(&self, member: Member, interface: &str, providers: &[Instance]) -> anyhow::Error {
        let role = member.role;
        let other_version = providers.iter().find_map(|provider| {
            let export = self.exports(&provider.of).find(|export| name_of(export) == name_of(interface))?;
            Some((provider.of.role, export))
        });
        match other_version {
            Some((provider, export)) => {
                anyhow!(
                    "{role} imports {interface}, but {provider} exports {export}: build both for one version"
                )
            }
            None => anyhow!(
                "{role} imports {interface}, which no component of the composition exports: add one that does"
            ),
        }
    }

    /// Encodes the composition as a component that exports everything that `instance` exports.
    pub(super) fn encode(mut self, instance: &Instance) -> Result<Vec<u8>> {
        let names: Vec<_> = self.exports(&instance.of).map(str::to_owned).collect();
        for name in names {
            let export = self.composition.alias_instance_export(instance.node, &name)?;
            self.composition.export(export, name)?;
        }
        self.composition.encode(EncodeOptions::default()).context("the composed component is not valid")
    }
}

/// Returns the name of an interface without its version.
fn name_of(interface: &str) -> &str {
    interface.split_once('@').map_or(interface, |(name, _version)| name)
}
