//! HPACK: header compression for HTTP/2 (RFC 7541).

mod decoder;
mod encoder;
mod huffman;
mod huffman_table;
mod index;
mod integer;
mod static_table;
mod string;
mod table;
#[cfg(test)]
mod tests;

pub use self::{
    decoder::{DecodeError, Decoded, Decoder, SectionLimits},
    encoder::Encoder,
};

/// The initial value of SETTINGS_HEADER_TABLE_SIZE (RFC 9113, 6.5.2).
pub(crate) const DEFAULT_TABLE_SIZE: u32 = 4096;
