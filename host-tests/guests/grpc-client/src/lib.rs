//! A client that runs cases of the public gRPC interoperability tests, and some of this project, built with tonic
//! over wasi:http.
//!
//! It has no knowledge of connections; the component that it is composed with opens them.
//!
//! Arguments: the URL of the server, and names of cases; all cases if none is named. The client prints a line for
//! each case, and fails if any case failed. With the URL, `latency`, and the arguments of [`latency::measure`],
//! it prints those measurements.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only components export it: other linkers reject the names")
)]

mod channel;
mod echo;
mod expect;
mod interop;
mod latency;

/// Generated messages and clients.
#[allow(missing_docs, unreachable_pub, unused_qualifications, dead_code, clippy::all, clippy::pedantic)]
mod proto {
    pub(crate) mod grpc {
        tonic::include_proto!("grpc.testing");
    }
    pub(crate) mod http2 {
        tonic::include_proto!("http2.testing");
    }
}

use http::Uri;
use tonic::codec::CompressionEncoding::Gzip;

use crate::channel::Channel;
use crate::expect::Failure;
use crate::proto::grpc::test_service_client::TestServiceClient;
use crate::proto::grpc::unimplemented_service_client::UnimplementedServiceClient;
use crate::proto::http2::echo_client::EchoClient;

struct Command;

#[cfg(target_arch = "wasm32")]
wasip3::cli::command::export!(Command);

impl wasip3::exports::cli::run::Guest for Command {
    async fn run() -> Result<(), ()> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let Some((Ok(server), names)) = arguments.split_first().map(|(url, names)| (url.parse(), names))
        else {
            eprintln!("usage: grpc-client URL [CASE...], or grpc-client URL latency CASE COUNT");
            return Err(());
        };
        let services = Services::at(&server);
        if let [latency, case, count] = names
            && latency == "latency"
        {
            let count = count.parse().map_err(|_| eprintln!("{count} is not a number"))?;
            let took = latency::measure(services, case, count).await;
            return took.map(|took| print!("{took}")).map_err(|failure| eprintln!("{failure}"));
        }
        let mut all_passed = Ok(());
        for name in if names.is_empty() { all() } else { names.to_vec() } {
            match run(&name, &services).await {
                Ok(()) => println!("{name}: passed"),
                Err(failure) => {
                    println!("{name}: {failure}");
                    all_passed = Err(());
                }
            }
        }
        all_passed
    }
}

/// The services of one server.
#[derive(Clone)]
struct Services {
    test: TestServiceClient<Channel>,
    unimplemented: UnimplementedServiceClient<Channel>,
    echo: EchoClient<Channel>,
}

impl Services {
    fn at(server: &Uri) -> Self {
        let limit = usize::MAX;
        Self {
            test: TestServiceClient::with_origin(Channel, server.clone())
                .max_decoding_message_size(limit)
                .accept_compressed(Gzip),
            unimplemented: UnimplementedServiceClient::with_origin(Channel, server.clone()),
            echo: EchoClient::with_origin(Channel, server.clone())
                .max_decoding_message_size(limit)
                .accept_compressed(Gzip),
        }
    }
}

macro_rules! cases {
    ($($module:ident::$case:ident,)*) => {
        /// The names of all cases.
        fn all() -> Vec<String> {
            vec![$(stringify!($case).to_owned()),*]
        }

        /// Runs a case.
        async fn run(name: &str, services: &Services) -> Result<(), Failure> {
            $(if name == stringify!($case) {
                return $module::$case(services.clone()).await;
            })*
            Err(Failure::new("unknown case"))
        }
    };
}

cases! {
    interop::empty_unary,
    interop::large_unary,
    interop::client_streaming,
    interop::server_streaming,
    interop::ping_pong,
    interop::empty_stream,
    interop::custom_metadata,
    interop::status_code_and_message,
    interop::special_status_message,
    interop::unimplemented_method,
    interop::unimplemented_service,
    interop::cancel_after_begin,
    interop::cancel_after_first_response,
    interop::timeout_on_sleeping_server,
    echo::message_sizes,
    echo::compressed_messages,
    echo::concurrent_calls,
    echo::concurrent_streams,
    echo::trailers_only_error,
    echo::request_broken_off,
    echo::response_before_request_ends,
}
