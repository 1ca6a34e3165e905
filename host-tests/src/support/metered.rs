//! Servers whose instructions are counted.

use std::net::SocketAddr;
use std::time::Duration;

use http2_test_support::{
    Frame, PREFACE, Receiver, data, flag, frame, kind, parameters, setting, settings, settings_ack,
    window_update,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wasi_http2::run::{Command, Guest};
use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, Config, Engine, Result, Store};
use wasmtime_wasi::cli::AsyncStdinStream;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, p2, p3};

use super::DEADLINE;

/// A server whose instructions are counted by Wasmtime's fuel.
///
/// Server and client have one thread, so the client sends only while the server waits: the server takes the same turns
/// in each run.
pub struct MeteredServer(Command);

impl MeteredServer {
    /// Compiles a server that understands `--addr` and `--drain-on-stdin-eof`, and prints its address.
    ///
    /// # Panics
    ///
    /// If it is no command of WASI.
    pub fn new(server: &[u8]) -> Self {
        Self::compile(server).unwrap_or_else(|error| panic!("the server cannot be metered: {error:?}"))
    }

    fn compile(server: &[u8]) -> Result<Self> {
        let mut config = Config::new();
        config.consume_fuel(true).cache(Cache::from_file(None).ok());
        // As the command `wasi-http2`, which tracks concurrent tasks only for components of WASI 0.3.
        let sequential = Engine::new(config.clone().concurrency_support(false))?;
        if let Ok(component) = Component::new(&sequential, server) {
            let mut linker = Linker::new(&sequential);
            p2::add_to_linker_async(&mut linker)?;
            return Ok(Self(Command::new(&linker.instantiate_pre(&component)?)?));
        }
        let concurrent = Engine::new(config.wasm_component_model_async(true))?;
        let component = Component::new(&concurrent, server)?;
        let mut linker = Linker::new(&concurrent);
        p2::add_to_linker_async(&mut linker)?;
        p3::add_to_linker(&mut linker)?;
        wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
        Ok(Self(Command::new(&linker.instantiate_pre(&component)?)?))
    }

    /// Runs the server for one conversation, and returns the fuel that it has used from its start to its exit.
    ///
    /// # Panics
    ///
    /// If the server fails, or does not end.
    pub fn serve(&self, conversation: impl AsyncFnOnce(&mut Client)) -> u64 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let serve = tokio::time::timeout(DEADLINE, self.converse(conversation));
            serve.await.expect("the server or its client hangs")
        })
    }

    async fn converse(&self, conversation: impl AsyncFnOnce(&mut Client)) -> u64 {
        let output = MemoryOutputPipe::new(1 << 16);
        let (stdin, end) = tokio::io::duplex(1);
        let wasi = WasiCtx::builder()
            .args(&["server", "--addr=127.0.0.1:0", "--drain-on-stdin-eof"])
            .stdin(AsyncStdinStream::new(stdin))
            .stdout(output.clone())
            .stderr(output.clone())
            .allow_tcp(true)
            .inherit_network()
            .build();
        let client = async {
            let mut client = Client::connect(address(&output).await).await;
            conversation(&mut client).await;
            drop(end);
            client.finish().await;
        };
        let ((), (outcome, fuel)) = tokio::join!(client, self.run(Guest::new(wasi, 1 << 30)));
        let said = output.contents();
        assert!(matches!(outcome, Ok(Ok(()))), "{outcome:?}\n{}", String::from_utf8_lossy(&said));
        fuel
    }

    async fn run(&self, guest: Guest) -> (Result<Result<(), ()>>, u64) {
        let mut store = Store::new(self.0.engine(), guest);
        store.set_fuel(u64::MAX).expect("fuel is enabled");
        let outcome = self.0.run(&mut store).await;
        (outcome, u64::MAX - store.get_fuel().expect("fuel is enabled"))
    }
}

/// Returns the address that a server prints once it listens.
async fn address(output: &MemoryOutputPipe) -> SocketAddr {
    loop {
        let said = output.contents();
        let said = String::from_utf8_lossy(&said);
        if let Some((line, _)) = said.split_once('\n') {
            let port = line.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
            return SocketAddr::from(([127, 0, 0, 1], port.unwrap_or_else(|| panic!("no address: {line}"))));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A client that sends the frames of a test, in the thread of its server.
pub struct Client {
    tcp: TcpStream,
    receiver: Receiver,
    /// The connection's flow-control window for content that the client sends, in bytes.
    window: u32,
    initial_window: u32,
}

/// The flow-control windows at the start of a connection and of a stream (RFC 9113, 6.9.2).
const INITIAL_WINDOW: u32 = 65_535;
/// The most content that the client sends at once, in frames of the size that every endpoint accepts (RFC 9113, 4.2).
const PIECE: u32 = 2 * FRAME;
const FRAME: u32 = 16_384;

impl Client {
    /// Connects, and exchanges the settings.
    async fn connect(server: SocketAddr) -> Self {
        let tcp = TcpStream::connect(server).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let receiver = Receiver::from_server();
        let mut client = Self { tcp, receiver, window: INITIAL_WINDOW, initial_window: INITIAL_WINDOW };
        client.send(&[PREFACE, &settings(&[])].concat()).await;
        client.frame_of(kind::SETTINGS).await;
        client
    }

    async fn take_settings(&mut self, payload: &[u8]) {
        for (parameter, value) in parameters(payload) {
            if parameter == setting::INITIAL_WINDOW_SIZE {
                self.initial_window = value;
            }
        }
        self.send(&settings_ack()).await;
    }

    /// Sends bytes with one write.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.tcp.write_all(bytes).await.unwrap();
    }

    /// Receives the next frame, or `None` at the end of the connection. Acknowledges PING.
    pub async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some(received) = self.receiver.next_frame().unwrap() {
                match (received.kind, received.flags & flag::ACK) {
                    (kind::PING, 0) => {
                        self.send(&frame(kind::PING, flag::ACK, 0, &received.payload)).await;
                    }
                    (kind::SETTINGS, 0) => self.take_settings(&received.payload).await,
                    (kind::WINDOW_UPDATE, _) if received.stream == 0 => self.window += received.number(0),
                    _ => {}
                }
                return Some(received);
            }
            let mut input = Vec::with_capacity(1 << 16);
            if self.tcp.read_buf(&mut input).await.unwrap() == 0 {
                return None;
            }
            self.receiver.push(&input).unwrap();
        }
    }

    /// Receives frames of this type, and skips others.
    pub async fn frame_of(&mut self, wanted: u8) -> Frame {
        loop {
            let frame = self.frame().await.unwrap_or_else(|| panic!("no {}", kind::name(wanted)));
            if frame.kind == wanted {
                return frame;
            }
        }
    }

    /// Sends content of this length that ends a stream, as far as the windows permit at a time.
    pub async fn send_content(&mut self, stream: u32, mut left: u32) {
        let mut window = self.initial_window;
        while left > 0 {
            let length = left.min(PIECE);
            if window.min(self.window) >= length {
                left -= length;
                window -= length;
                self.window -= length;
                self.send(&content(stream, length, left == 0)).await;
                continue;
            }
            let update = self.frame_of(kind::WINDOW_UPDATE).await;
            if update.stream == stream {
                window += update.number(0);
            }
        }
    }

    /// Receives the content of a response, widens the windows whenever they are used up, and returns its length.
    pub async fn receive_content(&mut self, stream: u32) -> u32 {
        let (mut received, mut used) = (0, 0);
        loop {
            let frame = self.frame_of(kind::DATA).await;
            let length = u32::try_from(frame.payload.len()).unwrap();
            received += length;
            used += length;
            if frame.ends_stream() {
                self.send(&window_update(0, used)).await;
                return received;
            }
            if used == INITIAL_WINDOW {
                self.send(&[window_update(0, used), window_update(stream, used)].concat()).await;
                used = 0;
            }
        }
    }

    /// Receives what the server sends until it closes the connection.
    async fn finish(mut self) {
        while self.frame().await.is_some() {}
    }
}

/// Encodes content in frames.
fn content(stream: u32, length: u32, is_last: bool) -> Vec<u8> {
    let content = vec![b'a'; length as usize];
    let frames: Vec<_> = content.chunks(FRAME as usize).collect();
    let flags = |number| if is_last && number + 1 == frames.len() { flag::END_STREAM } else { 0 };
    frames.iter().enumerate().flat_map(|(number, frame)| data(stream, flags(number), frame)).collect()
}
