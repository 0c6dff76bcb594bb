//! The messages of a stream, read and written by hand.

use bytes::{Buf, BufMut};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use crate::service::{StreamEvent, Told};

/// A stream's message, or why its bytes are none.
pub(super) type Read = Result<StreamEvent, String>;

/// A message as it is received, and how many bytes it had.
pub(in crate::transport) struct Received {
    pub(super) event: Read,
    pub(super) bytes: usize,
}

/// Reads a stream's messages such that one that cannot be read does not end it, and writes its answers.
#[derive(Debug)]
pub(in crate::transport) struct StreamCodec {
    /// The bytes of events are kept.
    keeps: bool,
    /// Where an answer is put together: its length is known before it goes out.
    answer: Vec<u8>,
}

impl StreamCodec {
    /// `keeps` where the bytes of events are kept.
    pub(in crate::transport) fn new(keeps: bool) -> Self {
        Self { keeps, answer: Vec::new() }
    }
}

/// Most memory kept from one answer to the next.
const KEPT: usize = 64 << 10;

impl Codec for StreamCodec {
    type Encode = Told;
    type Decode = Received;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self::new(self.keeps)
    }

    fn decoder(&mut self) -> Self {
        Self::new(self.keeps)
    }
}

impl Decoder for StreamCodec {
    type Item = Received;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Received>, Status> {
        // Whole and apart: decoding from the buffer itself could leave part of a bad message in it.
        let length = bytes.remaining();
        let plain = bytes.chunk().get(..length).filter(|_| !self.keeps).and_then(StreamEvent::unkept);
        let event = match plain {
            Some(event) => {
                bytes.advance(length);
                Ok(event)
            }
            None => StreamEvent::from_bytes(&bytes.copy_to_bytes(length)),
        };
        Ok(Some(Received { event, bytes: length }))
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
}
