//! Components as the nodes of a graph, and the links between them.

use anyhow::{Context, Result, anyhow, bail};
use wac_graph::types::{ItemKind, Package, Type, are_semver_compatible};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};

/// A component in the graph.
#[derive(Clone, Copy)]
pub(super) struct Member {
    /// What it is called in messages.
    role: &'static str,
    package: PackageId,
}

/// An instance of a component in the graph.
pub(super) struct Instance {
    of: Member,
    node: NodeId,
}

/// Components, their instances, and who gets what from whom. What nobody supplies is an import of the whole.
#[derive(Default)]
pub(super) struct Graph {
    composition: CompositionGraph,
}

impl Graph {
    /// Adds a component, after a look at whether it is one.
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

    /// The name under which `member` exports `interface`, in the same or a compatible version.
    pub(super) fn compatible_export(&self, member: &Member, interface: &str) -> Option<&str> {
        self.exports(member).find(|export| are_semver_compatible(export, interface))
    }

    /// Whether `importer` imports what `exporter` exports, in whatever version.
    pub(super) fn shares_interface(&self, importer: &Member, exporter: &Member) -> bool {
        self.imports(importer)
            .any(|import| self.exports(exporter).any(|export| name_of(export) == name_of(import)))
    }

    /// Whether an import of `member` is an interface of types that are no resources, which need nobody to supply
    /// them.
    pub(super) fn is_types_alone(&self, member: &Member, interface: &str) -> bool {
        let types = self.composition.types();
        let world = self.composition[member.package].ty();
        let Some(ItemKind::Instance(id)) = types[world].imports.get(interface) else { return false };
        types[*id].exports.values().all(|item| matches!(item, ItemKind::Type(Type::Value(_))))
    }

    /// Instantiates `member` with what `providers` export of the interfaces that `wanted` holds for. Those which
    /// none of them exports are refused, unless `optional` holds for them.
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
            format!("{} has another {interface} than {} exports", instance.of.role, provider.of.role)
        })
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

    /// The composition as a component, which exports what `instance` exports.
    pub(super) fn encode(mut self, instance: &Instance) -> Result<Vec<u8>> {
        let names: Vec<_> = self.exports(&instance.of).map(str::to_owned).collect();
        for name in names {
            let export = self.composition.alias_instance_export(instance.node, &name)?;
            self.composition.export(export, name)?;
        }
        self.composition.encode(EncodeOptions::default()).context("the composed component is not valid")
    }
}

/// The name of an interface without its version.
fn name_of(interface: &str) -> &str {
    interface.split_once('@').map_or(interface, |(name, _version)| name)
}
