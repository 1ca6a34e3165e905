//! libnghttp2 as an endpoint, through its C interface; the only module with unsafe code.

#![allow(unsafe_code)]

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use fastrand::Rng;
use http2_engine::Role;
use libnghttp2_sys as sys;

use crate::endpoint::{Change, Endpoint, Refused, Start};
use crate::message::{Delivery, Fields};

/// A session of libnghttp2.
///
/// The library queues requests above the peer's stream limit, and pads DATA and HEADERS at random.
pub struct Nghttp2 {
    session: *mut sys::nghttp2_session,
    /// The state that the callbacks use, boxed since the session keeps a pointer to it.
    state: Box<State>,
    role: Role,
    /// Bytes that the session has returned, and the test has not collected.
    output: VecDeque<u8>,
}

/// The state that the callbacks use.
struct State {
    streams: BTreeMap<i32, Stream>,
    deliveries: Vec<(u32, Delivery)>,
    /// The field section being received.
    section: Fields,
    random: Rng,
    pads: bool,
    pongs: usize,
    failure: Option<String>,
}

#[derive(Default)]
struct Stream {
    // Content to be sent:
    queue: VecDeque<u8>,
    /// Whether nothing but trailers follows the queued content.
    ended: bool,
    trailers: Option<Fields>,
    // Items received and not read:
    arrived: VecDeque<Delivery>,
    /// Whether the peer or the local caller has reset the stream.
    gone: bool,
}

impl Nghttp2 {
    /// Creates a session.
    ///
    /// # Panics
    ///
    /// Panics if libnghttp2 cannot allocate memory.
    pub fn new(start: &Start) -> Self {
        let mut random = Rng::with_seed(start.seed);
        let pads = random.bool();
        let mut state = Box::new(State {
            streams: BTreeMap::new(),
            deliveries: Vec::new(),
            section: Fields::default(),
            random,
            pads,
            pongs: 0,
            failure: None,
        });
        let session = new_session(start.role, &mut state);
        let mut settings = vec![
            (sys::NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, start.initial_window_size),
            (sys::NGHTTP2_SETTINGS_MAX_FRAME_SIZE, start.max_frame_size),
            (sys::NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, start.header_table_size),
        ];
        match start.role {
            Role::Client => settings.push((sys::NGHTTP2_SETTINGS_ENABLE_PUSH, 0)),
            Role::Server => {
                settings.push((sys::NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, start.max_concurrent_streams));
            }
        }
        let mut endpoint = Self { session, state, role: start.role, output: VecDeque::new() };
        endpoint.settings(&settings).expect("libnghttp2 accepts the first settings");
        let window = c_int::try_from(start.connection_window).expect("a window has 31 bits");
        // SAFETY: the session is alive.
        let result = unsafe { sys::nghttp2_session_set_local_window_size(session, 0, 0, window) };
        assert_eq!(result, 0, "libnghttp2 accepts the connection window");
        endpoint
    }

    fn settings(&mut self, settings: &[(sys::nghttp2_settings_id, u32)]) -> Result<(), Refused> {
        let entries: Vec<_> = settings
            .iter()
            .map(|&(id, value)| sys::nghttp2_settings_entry { settings_id: id as i32, value })
            .collect();
        // SAFETY: the session is alive, and copies the entries.
        let result =
            unsafe { sys::nghttp2_submit_settings(self.session, 0, entries.as_ptr(), entries.len()) };
        if result == 0 { Ok(()) } else { Err(Refused::NotNow) }
    }

    /// Submits a head, with a content provider unless the stream ends.
    fn submit(&mut self, stream: i32, head: &Fields, end_stream: bool) -> c_int {
        let fields = to_nv(head);
        let provider = sys::nghttp2_data_provider2 {
            source: sys::nghttp2_data_source { ptr: ptr::null_mut() },
            read_callback: Some(read_content),
        };
        let provider = if end_stream { ptr::null() } else { &raw const provider };
        // SAFETY: the session is alive, and copies the fields and the provider.
        unsafe {
            match self.role {
                Role::Client => sys::nghttp2_submit_request2(
                    self.session,
                    ptr::null(),
                    fields.as_ptr(),
                    fields.len(),
                    provider,
                    ptr::null_mut(),
                ),
                Role::Server => sys::nghttp2_submit_response2(
                    self.session,
                    stream,
                    fields.as_ptr(),
                    fields.len(),
                    provider,
                ),
            }
        }
    }

    /// Returns a stream that may still send.
    fn stream(&mut self, stream: u32) -> Result<&mut Stream, Refused> {
        self.state.streams.get_mut(&signed(stream)).filter(|stream| !stream.gone).ok_or(Refused::Gone)
    }

    fn resume(&mut self, stream: u32) {
        // SAFETY: the session is alive; resuming a stream that has nothing deferred is harmless.
        unsafe { sys::nghttp2_session_resume_data(self.session, signed(stream)) };
    }

    /// Makes the session return output, at least `most` bytes if it has as many.
    fn collect_output(&mut self, most: usize) {
        while self.output.len() < most {
            let mut octets = ptr::null();
            // SAFETY: the session is alive.
            let length = unsafe { sys::nghttp2_session_mem_send2(self.session, &raw mut octets) } as isize;
            if length <= 0 {
                return self.check("transmit", c_int::try_from(length).unwrap_or(c_int::MIN));
            }
            // SAFETY: the session keeps the bytes until the next call.
            self.output.extend(unsafe { std::slice::from_raw_parts(octets, length.unsigned_abs()) });
        }
    }

    fn check(&mut self, what: &str, result: c_int) {
        if result < 0 {
            // SAFETY: the library has a static string for every error.
            let error = unsafe { CStr::from_ptr(sys::nghttp2_strerror(result)) };
            self.state.failure.get_or_insert(format!("{what}: {}", error.to_string_lossy()));
        }
    }
}

impl Drop for Nghttp2 {
    fn drop(&mut self) {
        // SAFETY: the session is not used afterwards.
        unsafe { sys::nghttp2_session_del(self.session) };
    }
}

impl Endpoint for Nghttp2 {
    fn receive(&mut self, octets: &[u8]) {
        // After its GOAWAY, a session without active streams discards input (`nghttp2_session_mem_recv2`
        // returns at once if `nghttp2_session_want_read` is 0), even half a frame. If a request that has
        // waited for the peer's limit is sent afterwards, the session has lost its place in the input; so the
        // request must be sent first.
        //
        // SAFETY: the session is alive.
        if unsafe { sys::nghttp2_session_want_read(self.session) } == 0 {
            self.collect_output(usize::MAX);
        }
        // SAFETY: the session is alive, and so are the bytes during the call.
        let taken =
            unsafe { sys::nghttp2_session_mem_recv2(self.session, octets.as_ptr(), octets.len()) } as isize;
        if taken < 0 {
            self.check("receive", c_int::try_from(taken).unwrap_or(c_int::MIN));
        } else {
            assert_eq!(taken.unsigned_abs(), octets.len(), "no callback pauses");
        }
    }

    fn transmit(&mut self, max: usize, out: &mut Vec<u8>) {
        self.collect_output(max);
        out.extend(self.output.drain(..max.min(self.output.len())));
    }

    fn open(&mut self, head: &Fields, end_stream: bool) -> Result<u32, Refused> {
        let id = self.submit(0, head, end_stream);
        if id < 0 {
            return Err(Refused::Gone);
        }
        self.state.streams.insert(id, Stream::default());
        Ok(id.unsigned_abs())
    }

    fn inform(&mut self, stream: u32, head: &Fields) -> Result<(), Refused> {
        self.stream(stream)?;
        let fields = to_nv(head);
        // SAFETY: the session is alive, and copies the fields.
        let result = unsafe {
            sys::nghttp2_submit_headers(
                self.session,
                0,
                signed(stream),
                ptr::null(),
                fields.as_ptr(),
                fields.len(),
                ptr::null_mut(),
            )
        };
        if result == 0 { Ok(()) } else { Err(Refused::Gone) }
    }

    fn respond(&mut self, stream: u32, head: &Fields, end_stream: bool) -> Result<(), Refused> {
        self.stream(stream)?;
        let result = self.submit(signed(stream), head, end_stream);
        if result == 0 { Ok(()) } else { Err(Refused::Gone) }
    }

    fn send_data(&mut self, stream: u32, content: &[u8], end_stream: bool) -> Result<usize, Refused> {
        let sending = self.stream(stream)?;
        sending.queue.extend(content);
        sending.ended |= end_stream;
        self.resume(stream);
        Ok(content.len())
    }

    fn send_trailers(&mut self, stream: u32, trailers: &Fields) -> Result<(), Refused> {
        let sending = self.stream(stream)?;
        sending.trailers = Some(trailers.clone());
        sending.ended = true;
        self.resume(stream);
        Ok(())
    }

    fn reset(&mut self, stream: u32, code: u32) {
        if let Ok(own) = self.stream(stream) {
            own.gone = true;
            own.arrived.clear();
        }
        // SAFETY: the session is alive.
        let result = unsafe { sys::nghttp2_submit_rst_stream(self.session, 0, signed(stream), code) };
        self.check("reset", result);
    }

    fn read(&mut self, stream: u32, max: usize) {
        let Some(own) = self.state.streams.get_mut(&signed(stream)) else { return };
        let Some(mut delivery) = own.arrived.pop_front() else { return };
        if let Delivery::Content(content) = &mut delivery {
            let rest = content.split_off(max.min(content.len()));
            let taken = content.len();
            if !rest.is_empty() {
                own.arrived.push_front(Delivery::Content(rest));
            }
            // SAFETY: the session is alive.
            let result = unsafe { sys::nghttp2_session_consume(self.session, signed(stream), taken) };
            self.check("consume", result);
        }
        self.state.deliveries.push((stream, delivery));
    }

    fn change(&mut self, change: Change) -> Result<(), Refused> {
        self.settings(&[match change {
            Change::HeaderTableSize(octets) => (sys::NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, octets),
            Change::MaxConcurrentStreams(streams) => (sys::NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams),
            Change::InitialWindowSize(octets) => (sys::NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, octets),
            Change::MaxFrameSize(octets) => (sys::NGHTTP2_SETTINGS_MAX_FRAME_SIZE, octets),
        }])
    }

    fn raise_window(&mut self, stream: u32, octets: u32) -> Result<(), Refused> {
        // SAFETY: the session is alive.
        let result =
            unsafe { sys::nghttp2_submit_window_update(self.session, 0, signed(stream), signed(octets)) };
        if result == 0 { Ok(()) } else { Err(Refused::Gone) }
    }

    fn ping(&mut self) -> Result<(), Refused> {
        // SAFETY: the session is alive, and copies the payload.
        let result = unsafe { sys::nghttp2_submit_ping(self.session, 0, b"question".as_ptr()) };
        if result == 0 { Ok(()) } else { Err(Refused::NotNow) }
    }

    fn pongs(&self) -> usize {
        self.state.pongs
    }

    fn shut_down(&mut self) -> Result<(), Refused> {
        // SAFETY: the session is alive, and gets no debug data.
        let result = unsafe {
            let last = sys::nghttp2_session_get_last_proc_stream_id(self.session);
            sys::nghttp2_submit_goaway(self.session, 0, last, 0, ptr::null(), 0)
        };
        // Otherwise, requests that arrive before the session returns the GOAWAY would be delivered, and
        // dropped afterwards.
        self.collect_output(usize::MAX);
        if result == 0 { Ok(()) } else { Err(Refused::NotNow) }
    }

    fn deliveries(&mut self) -> Vec<(u32, Delivery)> {
        std::mem::take(&mut self.state.deliveries)
    }

    fn failure(&self) -> Option<String> {
        self.state.failure.clone()
    }
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).expect("the number has 31 bits")
}

/// The fields in the library's form, valid while `fields` is alive.
fn to_nv(fields: &Fields) -> Vec<sys::nghttp2_nv> {
    let field = |(name, value): (&[u8], &[u8])| sys::nghttp2_nv {
        name: name.as_ptr().cast_mut(),
        value: value.as_ptr().cast_mut(),
        namelen: name.len(),
        valuelen: value.len(),
        flags: 0,
    };
    fields.iter().map(field).collect()
}

fn new_session(role: Role, state: &mut State) -> *mut sys::nghttp2_session {
    let user_data: *mut c_void = ptr::from_mut(state).cast();
    let (mut session, mut callbacks, mut option) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: the callbacks and the option are alive until they are deleted here, and the session copies
    // both. `state` stays alive and in place as long as the session.
    unsafe {
        assert_eq!(sys::nghttp2_session_callbacks_new(&raw mut callbacks), 0);
        assert_eq!(sys::nghttp2_option_new(&raw mut option), 0);
        sys::nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Some(on_begin_headers));
        sys::nghttp2_session_callbacks_set_on_header_callback(callbacks, Some(on_header));
        sys::nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Some(on_frame));
        sys::nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Some(on_content));
        sys::nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Some(on_stream_close));
        sys::nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, Some(on_invalid_frame));
        sys::nghttp2_session_callbacks_set_select_padding_callback2(callbacks, Some(select_padding));
        // Reads alone move the windows.
        sys::nghttp2_option_set_no_auto_window_update(option, 1);
        // The library counts a CONTINUATION once for each piece in which its header arrives.
        sys::nghttp2_option_set_max_continuations(option, 1_000);
        let result = match role {
            Role::Client => sys::nghttp2_session_client_new2(&raw mut session, callbacks, user_data, option),
            Role::Server => sys::nghttp2_session_server_new2(&raw mut session, callbacks, user_data, option),
        };
        assert_eq!(result, 0);
        sys::nghttp2_session_callbacks_del(callbacks);
        sys::nghttp2_option_del(option);
    }
    session
}

/// Returns the state that the callbacks use.
///
/// # Safety
///
/// `user_data` must be the pointer that [`new_session`] passed to the session, and no other reference to it
/// may exist during the callback.
unsafe fn state<'a>(user_data: *mut c_void) -> &'a mut State {
    // SAFETY: as required of the caller.
    unsafe { &mut *user_data.cast::<State>() }
}

unsafe extern "C" fn on_begin_headers(
    _: *mut sys::nghttp2_session,
    _: *const sys::nghttp2_frame,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: the library passes on the pointer it was given.
    unsafe { state(user_data) }.section = Fields::default();
    0
}

unsafe extern "C" fn on_header(
    _: *mut sys::nghttp2_session,
    _: *const sys::nghttp2_frame,
    name: *const u8,
    name_len: usize,
    value: *const u8,
    value_len: usize,
    _: u8,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: the library passes on the pointer it was given, and two strings that live during the callback.
    unsafe {
        let name = std::slice::from_raw_parts(name, name_len);
        state(user_data).section.push(name, std::slice::from_raw_parts(value, value_len));
    }
    0
}

unsafe extern "C" fn on_frame(
    _: *mut sys::nghttp2_session,
    frame: *const sys::nghttp2_frame,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: the library passes on the pointer it was given, and a frame; all kinds of frames begin with
    // this header.
    let (state, header) = unsafe { (state(user_data), (*frame).hd) };
    let id = header.stream_id;
    let kind = sys::nghttp2_frame_type::from(header.type_);
    if kind == sys::NGHTTP2_HEADERS {
        let section = std::mem::take(&mut state.section);
        let informational = section.get(":status").is_some_and(|status| status.starts_with(b"1"));
        let head = section.iter().next().is_some_and(|(name, _)| name.starts_with(b":"));
        let stream = state.streams.entry(id).or_default();
        match (informational, head) {
            (true, _) => state.deliveries.push((id.unsigned_abs(), Delivery::Informational(section))),
            (_, true) => state.deliveries.push((id.unsigned_abs(), Delivery::Head(section))),
            (_, false) => stream.arrived.push_back(Delivery::Trailers(section)),
        }
    }
    if kind == sys::NGHTTP2_PING && header.flags & sys::NGHTTP2_FLAG_ACK as u8 != 0 {
        state.pongs += 1;
    }
    if kind == sys::NGHTTP2_RST_STREAM
        && let Some(stream) = state.streams.get_mut(&id).filter(|stream| !stream.gone)
    {
        stream.gone = true;
        // SAFETY: the frame is of this kind.
        stream.arrived.push_back(Delivery::Reset(unsafe { (*frame).rst_stream.error_code }));
    }
    let carries_message = kind == sys::NGHTTP2_HEADERS || kind == sys::NGHTTP2_DATA;
    if carries_message
        && header.flags & sys::NGHTTP2_FLAG_END_STREAM as u8 != 0
        && let Some(stream) = state.streams.get_mut(&id).filter(|stream| !stream.gone)
    {
        stream.arrived.push_back(Delivery::End);
    }
    0
}

unsafe extern "C" fn on_content(
    session: *mut sys::nghttp2_session,
    _: u8,
    id: i32,
    octets: *const u8,
    length: usize,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: the library passes on the pointer it was given, and bytes that live during the callback.
    let (state, content) = unsafe { (state(user_data), std::slice::from_raw_parts(octets, length)) };
    match state.streams.get_mut(&id).filter(|stream| !stream.gone) {
        Some(stream) => stream.arrived.push_back(Delivery::Content(content.to_vec())),
        // The caller will never read this content.
        // SAFETY: the session is alive in its own callback.
        None => _ = unsafe { sys::nghttp2_session_consume(session, id, length) },
    }
    0
}

/// A stream that closes without a RST_STREAM frame was not processed (RFC 9113, 6.8).
unsafe extern "C" fn on_stream_close(
    _: *mut sys::nghttp2_session,
    id: i32,
    code: u32,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: the library passes on the pointer it was given.
    let state = unsafe { state(user_data) };
    if code != 0
        && let Some(stream) = state.streams.get_mut(&id).filter(|stream| !stream.gone)
    {
        stream.gone = true;
        stream.arrived.push_back(Delivery::Reset(code));
    }
    0
}

unsafe extern "C" fn on_invalid_frame(
    _: *mut sys::nghttp2_session,
    frame: *const sys::nghttp2_frame,
    error: c_int,
    user_data: *mut c_void,
) -> c_int {
    if error == sys::NGHTTP2_ERR_REFUSED_STREAM {
        // The stream limit may have been reached; the final comparison shows whether the refusal was
        // justified.
        return 0;
    }
    // SAFETY: the library passes on the pointer it was given, a frame, and an error for which it has a static
    // string.
    let (state, header, error) =
        unsafe { (state(user_data), (*frame).hd, CStr::from_ptr(sys::nghttp2_strerror(error))) };
    let error = error.to_string_lossy();
    let what = format!("frame of type {} on stream {}: {error}", header.type_, header.stream_id);
    state.failure.get_or_insert(what);
    0
}

unsafe extern "C" fn select_padding(
    _: *mut sys::nghttp2_session,
    frame: *const sys::nghttp2_frame,
    max: usize,
    user_data: *mut c_void,
) -> sys::nghttp2_ssize {
    // SAFETY: the library passes on the pointer it was given, and a frame.
    let (state, length) = unsafe { (state(user_data), (*frame).hd.length) };
    let padding = if state.pads && state.random.bool() { state.random.usize(..=256) } else { 0 };
    (length + padding).min(max) as sys::nghttp2_ssize
}

/// Copies content of a stream into the library's buffer.
unsafe extern "C" fn read_content(
    session: *mut sys::nghttp2_session,
    id: i32,
    buffer: *mut u8,
    room: usize,
    flags: *mut u32,
    _: *mut sys::nghttp2_data_source,
    user_data: *mut c_void,
) -> sys::nghttp2_ssize {
    let deferred = sys::NGHTTP2_ERR_DEFERRED as sys::nghttp2_ssize;
    // SAFETY: the library passes on the pointer it was given.
    let state = unsafe { state(user_data) };
    let Some(stream) = state.streams.get_mut(&id) else { return deferred };
    if stream.queue.is_empty() && !stream.ended {
        return deferred;
    }
    let taken = room.min(stream.queue.len());
    let octets: Vec<u8> = stream.queue.drain(..taken).collect();
    // SAFETY: the buffer has room for this many bytes.
    unsafe { ptr::copy_nonoverlapping(octets.as_ptr(), buffer, taken) };
    if stream.queue.is_empty() && stream.ended {
        let mut end = sys::NGHTTP2_DATA_FLAG_EOF;
        if let Some(trailers) = stream.trailers.take() {
            end |= sys::NGHTTP2_DATA_FLAG_NO_END_STREAM;
            let fields = to_nv(&trailers);
            // SAFETY: the session is alive in its own callback, and copies the fields.
            unsafe { sys::nghttp2_submit_trailer(session, id, fields.as_ptr(), fields.len()) };
        }
        // SAFETY: the library supplies a valid pointer for the flags.
        unsafe { *flags |= end };
    }
    taken as sys::nghttp2_ssize
}
