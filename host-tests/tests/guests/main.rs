//! Guests that test an interface from the inside; every guest has a module of tests here, named after it.

mod costs;

use std::net::Ipv4Addr;
use std::time::Duration;

use host_tests::guests;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use wasi_http2::{Composition, Invocation, Network, Outcome, Runtime, components};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

macro_rules! assert_test_exists {
    ($name:ident) => {
        #[expect(unused_imports, reason = "using the name makes a guest without a test a compile error")]
        use self::$name as _;
    };
}

host_tests::for_each_guest!(assert_test_exists);

/// Runs a guest composed with the socket component, and asserts that it succeeds.
async fn succeeds(guest: &[u8], args: &[&str]) {
    component_succeeds(&Composition::default().compose(guest).unwrap(), args).await;
}

/// Runs a component, and asserts that it succeeds.
async fn component_succeeds(component: &[u8], args: &[&str]) {
    let program = Runtime::with_interrupts().unwrap().load(component).unwrap();
    let stderr = MemoryOutputPipe::new(1 << 20);
    let invocation = Invocation::new("guest")
        .args(args)
        .network(Network::Loopback)
        .stderr(stderr.clone())
        .time_limit(Duration::from_secs(60));
    let outcome = program.run(invocation).await.unwrap();
    assert!(outcome.is_success(), "{args:?}: {outcome}\n{}", String::from_utf8_lossy(&stderr.contents()));
}

mod tcp_check {
    use super::*;

    async fn check(args: &[&str]) {
        succeeds(guests::TCP_CHECK, args).await;
    }

    #[tokio::test]
    async fn bytes_are_echoed_over_ipv4() {
        check(&["echo", "127.0.0.1:0", "127.0.0.1"]).await;
    }

    #[tokio::test]
    async fn bytes_are_echoed_over_ipv6() {
        check(&["echo", "[::1]:0", "::1"]).await;
        check(&["echo", "[::1]:0", "[::1]"]).await;
    }

    #[tokio::test]
    async fn bytes_are_echoed_by_host_name() {
        check(&["echo", "127.0.0.1:0", "localhost"]).await;
    }

    #[tokio::test]
    async fn one_direction_may_end_before_the_other() {
        check(&["half-close"]).await;
    }

    #[tokio::test]
    async fn connecting_to_a_port_without_a_listener_is_refused() {
        check(&["refused"]).await;
    }

    #[tokio::test]
    async fn an_unknown_host_name_is_unresolvable() {
        check(&["unresolvable"]).await;
    }

    #[tokio::test]
    async fn an_unusable_address_is_an_error_with_a_reason() {
        check(&["unusable"]).await;
    }

    #[tokio::test]
    async fn connecting_times_out_without_an_answer() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        // A listener whose queue is full leaves further connections unanswered.
        let mut queue = Vec::new();
        while let Ok(connection) =
            tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
        {
            queue.push(connection.unwrap());
        }
        check(&["timeout", &address.port().to_string()]).await;
    }

    #[tokio::test]
    async fn a_reset_is_always_distinguished_from_an_end() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let peer = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            connection.read_u8().await.unwrap();
            connection.set_zero_linger().unwrap();
        });
        check(&["reset", &port]).await;
        peer.await.unwrap();
    }

    #[tokio::test]
    async fn streams_may_be_dropped_before_their_pollables() {
        check(&["streams-first"]).await;
    }

    #[tokio::test]
    async fn a_listener_may_be_dropped_before_its_pollable() {
        check(&["listener-first"]).await;
    }

    #[tokio::test]
    async fn dropping_a_stream_does_not_wait_for_its_peer() {
        check(&["stalled-peers"]).await;
    }

    #[tokio::test]
    async fn dropped_sockets_are_closed() {
        check(&["many"]).await;
    }
}

/// Its tests in stock Wasmtime are in `guest_servers`.
mod tokio_client {
    use super::*;

    #[tokio::test]
    async fn sockets_and_timers_behave_as_natively() {
        component_succeeds(guests::TOKIO_CLIENT, &["sockets"]).await;
    }

    #[tokio::test]
    async fn timers_of_tokio_expire_beside_busy_tasks() {
        component_succeeds(guests::TOKIO_CLIENT, &["timers"]).await;
    }
}

mod hog {
    use wasi_http2::compose::with_handler;
    use wasmtime_wasi::p2::pipe::MemoryInputPipe;

    use super::*;

    const AMPLE: Duration = Duration::from_secs(60);

    async fn outcome(args: &[&str], time_limit: Duration) -> Outcome {
        let program = Runtime::with_interrupts().unwrap().load(guests::HOG).unwrap();
        let invocation = Invocation::new("hog").args(args).memory_limit(16 << 20).time_limit(time_limit);
        program.run(invocation).await.unwrap()
    }

    #[tokio::test]
    async fn a_guest_that_exceeds_its_memory_limit_is_stopped() {
        let outcome = outcome(&["memory"], AMPLE).await;
        assert!(matches!(outcome, Outcome::OutOfMemory(_)), "{outcome}");
        assert_eq!(outcome.to_string(), "the guest exceeded its memory limit of 16 MiB");
    }

    #[tokio::test]
    async fn a_guest_that_exceeds_its_time_limit_is_stopped() {
        let outcome = outcome(&["time"], Duration::from_millis(500)).await;
        assert_eq!(outcome.to_string(), "the guest exceeded its time limit of 500ms");
    }

    #[tokio::test]
    async fn the_compute_limit_stops_a_stuck_guest_but_not_a_busy_one() {
        let limit = Duration::from_millis(100);
        let runtime = Runtime::with_interrupts().unwrap();
        let stuck = runtime.load(guests::HOG).unwrap();
        let outcome = stuck.run(Invocation::new("guest").args(["time"]).compute_limit(limit)).await.unwrap();
        assert!(matches!(outcome, Outcome::Unresponsive(reached) if reached == limit), "{outcome}");

        let busy = with_handler(guests::HANDLER_CALLS, guests::HTTP_SERVICE).unwrap();
        let calls = MemoryInputPipe::new("30000\n");
        let invocation = Invocation::new("guest").stdin(calls).compute_limit(limit);
        let outcome = runtime.load(&busy).unwrap().run(invocation).await.unwrap();
        assert!(outcome.is_success(), "{outcome}");
    }

    #[tokio::test]
    async fn a_trap_is_reported() {
        let outcome = outcome(&["trap"], AMPLE).await;
        assert!(matches!(outcome, Outcome::Trapped(_)), "{outcome}");
    }

    #[tokio::test]
    async fn the_exit_code_is_reported() {
        assert!(matches!(outcome(&["fail"], AMPLE).await, Outcome::Exited(1)));
    }
}

mod small_requests {
    use super::*;

    async fn outcome(args: &[&str]) -> Outcome {
        let program = Runtime::new().unwrap().load(guests::SMALL_REQUESTS).unwrap();
        program.run(Invocation::new("small-requests").args(args)).await.unwrap()
    }

    #[tokio::test]
    async fn each_subject_answers_all_its_requests() {
        for subject in ["engine", "engine-http", "h2"] {
            let outcome = outcome(&[subject, "2", "300"]).await;
            assert!(outcome.is_success(), "{subject}: {outcome}");
        }
    }

    #[tokio::test]
    async fn zero_rounds_are_refused() {
        assert!(matches!(outcome(&["engine", "0", "1"]).await, Outcome::Exited(1)));
    }
}

mod http_requests {
    use super::*;

    #[tokio::test]
    async fn it_exits_at_the_end_of_its_input() {
        let component = wasi_http2::compose::with_client(guests::HTTP_REQUESTS).unwrap();
        let program = Runtime::new().unwrap().load(&component).unwrap();
        let outcome = program.run(Invocation::new("http-requests")).await.unwrap();
        assert!(outcome.is_success(), "{outcome}");
    }
}

mod http_service {
    use wasmtime::component::Component;
    use wasmtime::{Config, Engine};

    use super::*;

    #[test]
    fn it_exports_only_a_handler() {
        let engine = Engine::new(Config::new().wasm_component_model_async(true)).unwrap();
        let component = Component::new(&engine, guests::HTTP_SERVICE).unwrap();
        let component_type = component.component_type();
        let exports: Vec<_> = component_type.exports(&engine).map(|(name, _)| name).collect();
        assert!(matches!(exports[..], [name] if name.starts_with("wasi:http/handler@0.3.")), "{exports:?}");
    }
}

mod handler_calls {
    use wasi_http2::compose::with_handler;
    use wasmtime_wasi::p2::pipe::MemoryInputPipe;

    use super::*;

    #[tokio::test]
    async fn each_line_is_answered_after_its_calls() {
        let component = with_handler(guests::HANDLER_CALLS, guests::HTTP_SERVICE).unwrap();
        let stdout = MemoryOutputPipe::new(1 << 10);
        let invocation =
            Invocation::new("guest").stdin(MemoryInputPipe::new("1\n200\n")).stdout(stdout.clone());
        let outcome = Runtime::new().unwrap().load(&component).unwrap().run(invocation).await.unwrap();
        assert!(outcome.is_success(), "{outcome}");
        assert_eq!(stdout.contents(), "1 answered\n200 answered\n");
    }
}

mod in_memory {
    use super::*;

    #[tokio::test]
    async fn client_and_server_talk_over_streams_with_and_without_a_layer() {
        let stderr = MemoryOutputPipe::new(1 << 16);
        let invocation = Invocation::new("guest").stderr(stderr.clone()).time_limit(Duration::from_secs(60));
        let program = Runtime::with_interrupts().unwrap().load(guests::IN_MEMORY).unwrap();
        let outcome = program.run(invocation).await.unwrap();
        assert!(outcome.is_success(), "{outcome}\n{}", String::from_utf8_lossy(&stderr.contents()));
    }
}

mod http_forward {
    use wasi_http2::compose::{with_client, with_server};

    use super::*;

    #[test]
    fn it_composes_with_server_and_client() {
        let composed = with_server(&with_client(guests::HTTP_FORWARD).unwrap()).unwrap();
        Runtime::new().unwrap().load(&composed).unwrap();
    }
}

/// WASI 0.3 commands have the same limits and permissions.
mod wasi_0_3 {
    use std::net::SocketAddr;

    use wasi_http2::compose::{with_client, with_server};

    use super::*;

    /// Runs a command, and returns its outcome together with its standard output and standard error.
    async fn run(component: &[u8], invocation: Invocation) -> (Outcome, String) {
        let said = MemoryOutputPipe::new(1 << 20);
        let invocation = invocation.stdout(said.clone()).stderr(said.clone());
        let program = Runtime::with_interrupts().unwrap().load(component).unwrap();
        let outcome = program.run(invocation.time_limit(Duration::from_secs(60))).await.unwrap();
        (outcome, String::from_utf8_lossy(&said.contents()).into_owned())
    }

    /// Builds a command whose `run` has the given WebAssembly code as its body.
    fn command(run: &str) -> Vec<u8> {
        let text = format!(
            r#"(component
                 (core module $m (func (export "run") (result i32) {run}))
                 (core instance $i (instantiate $m))
                 (func $run async (result (result)) (canon lift (core func $i "run")))
                 (instance $r (export "run" (func $run)))
                 (export "wasi:cli/run@0.3.0" (instance $r)))"#
        );
        wat::parse_str(text).unwrap()
    }

    #[tokio::test]
    async fn the_exit_code_is_the_result_of_run() {
        for code in [0, 1] {
            let (outcome, _) = run(&command(&format!("i32.const {code}")), Invocation::new("guest")).await;
            assert!(matches!(outcome, Outcome::Exited(exited) if exited == code), "{outcome}");
        }
        let (outcome, _) = run(&command("unreachable"), Invocation::new("guest")).await;
        assert!(matches!(outcome, Outcome::Trapped(_)), "{outcome}");
    }

    #[tokio::test]
    async fn a_computing_guest_that_exceeds_its_time_limit_is_stopped() {
        let program =
            Runtime::with_interrupts().unwrap().load(&command("(loop (br 0)) unreachable")).unwrap();
        let limit = Duration::from_millis(500);
        let outcome = program.run(Invocation::new("guest").time_limit(limit)).await.unwrap();
        assert!(matches!(outcome, Outcome::OutOfTime(_)), "{outcome}");
    }

    #[tokio::test]
    async fn a_waiting_guest_that_exceeds_its_time_limit_is_stopped() {
        let server = with_server(guests::HTTP_SERVICE).unwrap();
        let program = Runtime::with_interrupts().unwrap().load(&server).unwrap();
        let invocation = Invocation::new("server").args(["--addr=127.0.0.1:0"]).network(Network::Loopback);
        let outcome = program.run(invocation.time_limit(Duration::from_millis(500))).await.unwrap();
        assert!(matches!(outcome, Outcome::OutOfTime(_)), "{outcome}");
    }

    #[tokio::test]
    async fn a_guest_that_exceeds_its_memory_limit_is_stopped() {
        let server = with_server(guests::HTTP_SERVICE).unwrap();
        let (outcome, _) = run(&server, Invocation::new("server").memory_limit(1 << 20)).await;
        assert!(matches!(outcome, Outcome::OutOfMemory(_)), "{outcome}");
    }

    #[tokio::test]
    async fn a_guest_listens_only_on_permitted_addresses() {
        let server = with_server(guests::HTTP_SERVICE).unwrap();
        let permitted = SocketAddr::from(([127, 0, 0, 1], 1));
        for network in [None, Some(Network::Connect), Some(Network::Listen(permitted))] {
            let invocation = Invocation::new("server").args(["--addr=127.0.0.1:0"]);
            let invocation = match network {
                Some(network) => invocation.network(network),
                None => invocation,
            };
            let (outcome, said) = run(&server, invocation).await;
            assert!(matches!(outcome, Outcome::Exited(1)), "{network:?}: {outcome} {said}");
            assert!(said.to_lowercase().contains("denied"), "{network:?}: {said}");
        }
    }

    #[tokio::test]
    async fn a_guest_connects_only_with_permission() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let client = with_client(components::HTTP_GET).unwrap();
        let network = Network::Listen(SocketAddr::from(([127, 0, 0, 1], 1)));
        let invocation = Invocation::new("http-get").args([&url]).network(network);
        let (outcome, said) = run(&client, invocation).await;
        assert!(matches!(outcome, Outcome::Exited(1)), "{outcome} {said}");

        let invocation = Invocation::new("http-get").args(["--timeout=0.1", &url]).network(Network::Connect);
        let (_, said) = run(&client, invocation).await;
        assert!(said.contains("no end within the time allowed"), "{said}");
        listener.accept().await.unwrap();
    }

    #[tokio::test]
    async fn the_hosts_client_refuses_all_requests() {
        let invocation = Invocation::new("http-get").args(["http://127.0.0.1/"]).network(Network::Connect);
        let (outcome, said) = run(components::HTTP_GET, invocation).await;
        assert!(matches!(outcome, Outcome::Exited(1)), "{outcome}");
        assert_eq!(said, "http-get: http://127.0.0.1/: the host sends no requests: compose with a client\n");
    }
}

/// Tested in `tests/grpc`.
mod grpc_client {}

/// Tested in `tests/grpc`.
mod grpc_service {}

/// Tested in `tests/grpc`.
mod grpc_tokio {}

mod round_trips {
    use wasi_http2::embed::{Options, Sandbox, SandboxLimits};

    use super::*;

    /// Starts a server in the sandbox that echoes content.
    ///
    /// It runs until the runtime is dropped.
    async fn echo() -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let sandbox = Sandbox::new(SandboxLimits::new()).unwrap();
        tokio::spawn(async move {
            let (connection, _) = listener.accept().await.unwrap();
            let mut server = sandbox.server(connection, &Options::new()).unwrap();
            while let Some(accepted) = server.accept().await {
                let (mut request, mut responder) = accepted.unwrap();
                let mut echo = responder.send_response(http::Response::new(()), false).await.unwrap();
                while let Some(data) = request.body_mut().data().await {
                    echo.send_data(data.unwrap(), false).await.unwrap();
                }
                echo.send_data("", true).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn every_case_completes() {
        for case in ["get", "post", "ping-pong"] {
            let address = echo().await;
            succeeds(guests::ROUND_TRIPS, &[&address, case, "/echo", "5"]).await;
        }
    }

    #[tokio::test]
    async fn dialing_a_closed_port_fails_with_its_number() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let component = Composition::default().compose(guests::ROUND_TRIPS).unwrap();
        let stderr = MemoryOutputPipe::new(1 << 20);
        let invocation = Invocation::new("guest")
            .args([&format!("127.0.0.1:{port}"), "get", "/", "1"])
            .network(Network::Loopback)
            .stderr(stderr.clone());
        let outcome = Runtime::new().unwrap().load(&component).unwrap().run(invocation).await.unwrap();
        let said = String::from_utf8_lossy(&stderr.contents()).into_owned();
        assert!(!outcome.is_success());
        assert!(
            said.contains(&format!("connecting to 127.0.0.1, port {port}: connection refused")),
            "{said}"
        );
    }
}
