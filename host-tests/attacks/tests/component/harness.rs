//! The component in Wasmtime, between a peer that is a sequence of bytes and an application.

mod application;
mod bindings;
mod credit;
mod endpoint;
mod instance;
mod trial;
mod wire;

pub(crate) use application::{Behaviour, Client, SHORT, Server};
pub(crate) use credit::Credit;
pub(crate) use endpoint::{Endpoint, Outcome, Received};
pub(crate) use instance::Role;
pub(crate) use trial::check_defence;
