//! How the generated clients and servers read and write messages.

use std::marker::PhantomData;

use bytes::Buf;
use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic_prost::ProstEncoder;

/// How messages are gathered into what goes out at one time: room for it all from the start, or it would be moved while it grows.
#[must_use]
pub fn written() -> BufferSettings {
    const TOGETHER: usize = 32 << 10;
    /// Beyond them, what the last one brings: most have some kilobytes at most.
    const LAST: usize = 8 << 10;
    BufferSettings::new(TOGETHER + LAST, TOGETHER)
}

/// As [`tonic_prost::ProstCodec`], but a message is decoded from its bytes as they lie, not through the buffer of the connection: a verdict is some
/// three hundred fields, each of which would ask it several times what is left.
#[derive(Debug)]
pub struct MessageCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for MessageCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for MessageCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = MessageDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(written())
    }

    fn decoder(&mut self) -> Self::Decoder {
        MessageDecoder(PhantomData)
    }
}

/// Decodes messages of one kind.
#[derive(Debug)]
pub struct MessageDecoder<U>(PhantomData<U>);

impl<U: Message + Default> Decoder for MessageDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let length = bytes.remaining();
        let decoded = match bytes.chunk().get(..length) {
            Some(message) => U::decode(message),
            None => U::decode(bytes.copy_to_bytes(length)),
        };
        bytes.advance(bytes.remaining());
        // As the gRPC specification has it.
        decoded.map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
