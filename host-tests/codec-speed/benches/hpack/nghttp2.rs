//! HPACK of libnghttp2, through its C interface; the only module with unsafe code.

#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr;

use libnghttp2_sys as sys;

/// The size of the dynamic tables, which is the initial one (RFC 9113, 6.5.2).
const TABLE_SIZE: usize = 4_096;

/// A decoder.
pub(crate) struct Inflater(*mut sys::nghttp2_hd_inflater);

/// An encoder.
pub(crate) struct Deflater(*mut sys::nghttp2_hd_deflater);

/// A header section as nghttp2 takes it, which borrows the names and values.
pub(crate) struct Fields<'a> {
    lines: Vec<sys::nghttp2_nv>,
    _section: &'a [(Vec<u8>, Vec<u8>)],
}

pub(crate) fn to_nv(section: &[(Vec<u8>, Vec<u8>)]) -> Fields<'_> {
    let line = |(name, value): &(Vec<u8>, Vec<u8>)| sys::nghttp2_nv {
        name: name.as_ptr().cast_mut(),
        value: value.as_ptr().cast_mut(),
        namelen: name.len(),
        valuelen: value.len(),
        flags: 0,
    };
    Fields { lines: section.iter().map(line).collect(), _section: section }
}

impl Inflater {
    pub(crate) fn new() -> Self {
        let mut inflater = ptr::null_mut();
        // SAFETY: the pointer is valid for a write.
        let result = unsafe { sys::nghttp2_hd_inflate_new(&raw mut inflater) };
        assert_eq!(result, 0, "out of memory");
        Self(inflater)
    }

    /// Decodes a whole block, and passes each name and value on.
    pub(crate) fn inflate(&mut self, mut block: &[u8], mut field: impl FnMut(&[u8], &[u8])) {
        loop {
            let mut line = sys::nghttp2_nv {
                name: ptr::null_mut(),
                value: ptr::null_mut(),
                namelen: 0,
                valuelen: 0,
                flags: 0,
            };
            let mut flags: c_int = 0;
            // SAFETY: the inflater is alive, and all pointers are valid during the call.
            let taken = unsafe {
                sys::nghttp2_hd_inflate_hd3(
                    self.0,
                    &raw mut line,
                    &raw mut flags,
                    block.as_ptr(),
                    block.len(),
                    1,
                )
            };
            block =
                usize::try_from(taken).ok().and_then(|taken| block.get(taken..)).expect("the block is valid");
            let flags = flags.cast_unsigned();
            if flags & sys::NGHTTP2_HD_INFLATE_EMIT != 0 {
                // SAFETY: the inflater keeps name and value until its next call.
                let (name, value) = unsafe {
                    (
                        std::slice::from_raw_parts(line.name, line.namelen),
                        std::slice::from_raw_parts(line.value, line.valuelen),
                    )
                };
                field(name, value);
            }
            if flags & sys::NGHTTP2_HD_INFLATE_FINAL != 0 {
                break;
            }
        }
        // SAFETY: the inflater is alive.
        unsafe { sys::nghttp2_hd_inflate_end_headers(self.0) };
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        // SAFETY: nothing uses the inflater any more.
        unsafe { sys::nghttp2_hd_inflate_del(self.0) };
    }
}

impl Deflater {
    pub(crate) fn new() -> Self {
        let mut deflater = ptr::null_mut();
        // SAFETY: the pointer is valid for a write.
        let result = unsafe { sys::nghttp2_hd_deflate_new(&raw mut deflater, TABLE_SIZE) };
        assert_eq!(result, 0, "out of memory");
        Self(deflater)
    }

    /// Appends the block of a header section.
    pub(crate) fn deflate(&mut self, fields: &Fields<'_>, out: &mut Vec<u8>) {
        let lines = fields.lines.as_slice();
        // SAFETY: the deflater is alive and only reads the fields.
        let bound = unsafe { sys::nghttp2_hd_deflate_bound(self.0, lines.as_ptr(), lines.len()) };
        out.reserve(bound);
        let room = out.spare_capacity_mut();
        // SAFETY: the deflater is alive, only reads the fields, and writes at most as many bytes as there is room for.
        let written = unsafe {
            sys::nghttp2_hd_deflate_hd2(
                self.0,
                room.as_mut_ptr().cast(),
                room.len(),
                lines.as_ptr(),
                lines.len(),
            )
        };
        let written = usize::try_from(written).expect("the fields can be encoded");
        // SAFETY: the deflater has written these bytes.
        unsafe { out.set_len(out.len() + written) };
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        // SAFETY: nothing uses the deflater any more.
        unsafe { sys::nghttp2_hd_deflate_del(self.0) };
    }
}
