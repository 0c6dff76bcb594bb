//! The messages of a stream, read and written by hand.

use bytes::{Buf, BufMut, Bytes};
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use crate::service::Told;
use crate::wire::codec::written;

/// Hands a stream's messages on as they came, so that one that cannot be read does not end it, and writes its answers.
#[derive(Debug, Default)]
pub(in crate::transport) struct StreamCodec {
    /// Where an answer is put together: its length is known before it goes out.
    answer: Vec<u8>,
}

/// Most memory kept from one answer to the next.
const KEPT: usize = 64 << 10;

impl Codec for StreamCodec {
    type Encode = Told;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self::default()
    }

    fn decoder(&mut self) -> Self {
        Self::default()
    }
}

impl Decoder for StreamCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(bytes.copy_to_bytes(bytes.remaining())))
    }
}

impl Encoder for StreamCodec {
    type Item = Told;
    type Error = Status;

    fn encode(&mut self, told: Told, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        self.answer.clear();
        told.encode(&mut self.answer);
        out.put_slice(&self.answer);
        self.answer.shrink_to(KEPT);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        written()
    }
}
