//! Envoy, from PyPI.

use std::process::Command;

use anyhow::Result;

use super::proxy::{BEFORE_OURS, Behind, Place, Proxy, SERVES};
use crate::peer::Peer;
use crate::python;

pub(crate) fn peers() -> Result<Vec<Peer>> {
    Proxy {
        name: "envoy",
        program: python::environment()?.join("bin/envoy"),
        before_ours: BEFORE_OURS,
        serves: SERVES,
        omitted: &[],
        command,
    }
    .peers()
}

fn command(place: &Place) -> Result<Command> {
    let (Behind::Http1(address) | Behind::Http2(address)) = place.behind;
    let (host, port) = address.split_once(':').unwrap_or((address, "80"));
    // The smallest windows that it accepts, a PING every second, and connections that end after 100 requests.
    let streams = if place.allows_few_streams() { 5 } else { 100 };
    let options = if place.is_awkward {
        format!(
            "{{initial_stream_window_size: 65535, initial_connection_window_size: 65535, hpack_table_size: 0, \
             max_concurrent_streams: {streams}, connection_keepalive: {{interval: 1s, timeout: 30s}}}}"
        )
    } else {
        "{}".to_owned()
    };
    let protocol = match place.behind {
        Behind::Http1(_) => "http_protocol_options: {}".to_owned(),
        Behind::Http2(_) => format!("http2_protocol_options: {options}"),
    };
    let requests = if place.is_awkward { "{max_requests_per_connection: 100}" } else { "{}" };
    let text = format!(
        "static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {here}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: here
          codec_type: HTTP2
          http2_protocol_options: {options}
          route_config:
            virtual_hosts:
            - {{name: all, domains: ['*'], routes: [{{match: {{prefix: /}}, route: {{cluster: there, timeout: 0s}}}}]}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: there
    type: STATIC
    load_assignment:
      cluster_name: there
      endpoints:
      - lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: {host}, port_value: {port}}}}}}}}}]
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        common_http_protocol_options: {requests}
        explicit_http_config: {{{protocol}}}
",
        here = place.port,
    );
    let mut envoy = place.command();
    envoy.args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warn", "-c"]);
    envoy.arg(place.write("envoy.yaml", &text)?);
    Ok(envoy)
}
