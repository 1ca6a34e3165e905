//! The scenarios.

mod axum_apps;
mod grpcio;
mod guest;
mod h2_builders;
mod h2_client;
mod h2_flow;
mod h2_misuse;
mod h2_push;
mod h2_server;
mod hyper_bodies;
mod hyper_connect;
mod hyper_endings;
mod hyper_limits;
mod hyper_messages;
mod pool;
mod raw_client;
mod raw_server;
mod reqwest_client;
mod tls;
mod tonic_calls;
mod tonic_endings;
mod tonic_services;
mod wire;

use crate::scenario::Scenario;

/// All scenarios, in the order of their names.
pub(crate) fn all() -> Vec<&'static Scenario> {
    let modules = [
        axum_apps::ALL,
        grpcio::ALL,
        guest::ALL,
        h2_builders::ALL,
        h2_client::ALL,
        h2_flow::ALL,
        h2_misuse::ALL,
        h2_push::ALL,
        h2_server::ALL,
        hyper_bodies::ALL,
        hyper_connect::ALL,
        hyper_endings::ALL,
        hyper_limits::ALL,
        hyper_messages::ALL,
        pool::ALL,
        raw_client::ALL,
        raw_server::ALL,
        reqwest_client::ALL,
        tls::ALL,
        tonic_calls::ALL,
        tonic_endings::ALL,
        tonic_services::ALL,
        wire::ALL,
    ];
    modules.into_iter().flatten().collect()
}
