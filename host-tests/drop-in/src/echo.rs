//! The service `proof.Echo`.

#![allow(unreachable_pub, reason = "the code is generated")]

use bytes::Bytes;

/// The request and the response of all methods.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Message {
    /// Content that is sent back.
    #[prost(bytes = "bytes", tag = "1")]
    pub content: Bytes,
    /// How many messages the client wants, or the number of a message.
    #[prost(uint32, tag = "2")]
    pub number: u32,
    /// The status with which the call is to end, unless 0.
    #[prost(int32, tag = "3")]
    pub status: i32,
    /// The message of that status.
    #[prost(string, tag = "4")]
    pub text: String,
}

#[allow(unused_qualifications, reason = "the code is generated")]
mod generated {
    tonic::include_proto!("proof.Echo");
}
pub use generated::{echo_client, echo_server};
