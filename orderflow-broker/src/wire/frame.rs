//! Frames: how bytes become requests and answers become bytes, without trusting a length that a client sends.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut, TryGetError};
use kafka_protocol::{
    messages::{ApiKey, ResponseHeader},
    protocol::{Decodable, Encodable, HeaderVersion, buf::ByteBuf},
};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::Close;
use crate::{State, budget::Reserved};

/// A connection on which no request comes for this long is closed (`connections.max.idle.ms`).
const IDLE_MAX: Duration = Duration::from_secs(600);
/// A request must arrive whole within this time after its first byte.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// API key, version, correlation id: no request is shorter.
const FRAME_BYTES_MIN: usize = 8;
/// Largest request other than produce, in bytes. Decoding such a request takes many times its size in memory.
const SMALL_FRAME_BYTES_MAX: usize = 1 << 20;
/// The fifth byte of a variable-length integer of 32 bits ends it.
const VARINT_LAST_SHIFT: u32 = 28;

/// A request as it came, without its length, and its part of the memory budget.
pub(super) struct Frame {
    pub bytes: Bytes,
    _memory: Reserved,
}

/// Reads one frame; `None` when the client has closed the connection between two frames.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin), state: &State) -> Result<Option<Frame>, Close> {
    let first = tokio::time::timeout(IDLE_MAX, stream.read_u8()).await.map_err(|_| Close::Timeout)?;
    let Ok(first) = first else { return Ok(None) };
    tokio::time::timeout(READ_TIMEOUT, read_rest(first, stream, state)).await.map_err(|_| Close::Timeout)?.map(Some)
}

async fn read_rest(first: u8, stream: &mut (impl AsyncRead + Unpin), state: &State) -> Result<Frame, Close> {
    let mut length = [first, 0, 0, 0];
    stream.read_exact(&mut length[1..]).await?;
    let length = i32::from_be_bytes(length);
    let size = usize::try_from(length).unwrap_or(0);
    if !(FRAME_BYTES_MIN..=state.config.frame_bytes_max).contains(&size) {
        return Err(Close::BadFrame(format!("a length of {length} bytes")));
    }
    let api_key = stream.read_i16().await?;
    if size > SMALL_FRAME_BYTES_MAX && api_key != ApiKey::Produce as i16 {
        return Err(Close::BadFrame(format!(
            "{size} bytes for API key {api_key}; {SMALL_FRAME_BYTES_MAX} are the limit"
        )));
    }
    let memory = state.requests.reserve(size).await;
    let mut bytes = BytesMut::with_capacity(size);
    bytes.put_i16(api_key);
    let mut rest = stream.take((size - 2) as u64);
    while bytes.len() < size {
        if rest.read_buf(&mut bytes).await? == 0 {
            return Err(Close::BadFrame("the connection ended in the middle of it".into()));
        }
    }
    Ok(Frame { bytes: bytes.freeze(), _memory: memory })
}

/// Decodes a request body.
///
/// The codec believes a length that it reads and reserves memory for it. So it reads the bytes twice, the first time
/// through [`Doubting`], which makes every such lie fail before it costs anything.
pub(super) fn decode<T: Decodable>(body: &Bytes, version: i16) -> Result<T, Close> {
    let bad = |error| Close::BadFrame(format!("{error:#}"));
    T::decode(&mut Doubting::new(body.clone()), version).map_err(bad)?;
    T::decode(&mut body.clone(), version).map_err(bad)
}

/// Encodes an answer as a frame.
pub(super) fn encode<T: Encodable + HeaderVersion>(
    answer: &T,
    correlation_id: i32,
    version: i16,
) -> Result<BytesMut, Close> {
    let bad = |error| Close::BadFrame(format!("the answer cannot be encoded: {error:#}"));
    let header = ResponseHeader::default().with_correlation_id(correlation_id);
    let mut frame = BytesMut::with_capacity(16 + answer.compute_size(version).map_err(bad)?);
    frame.put_i32(0);
    header.encode(&mut frame, T::header_version(version)).map_err(bad)?;
    answer.encode(&mut frame, version).map_err(bad)?;
    let length = i32::try_from(frame.len() - 4).map_err(|error| bad(error.into()))?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}

/// Bytes that never yield a number which could be a length and is larger than what is left.
///
/// Every element of an array takes at least one byte. So a 32-bit number above what remains is either no length, and
/// then its value does not matter to decoding, or a lie: it is replaced by one more than what remains, and decoding
/// that many elements fails. A variable-length integer is always a length, a count or a small tag, and is refused.
struct Doubting {
    rest: Bytes,
    /// The variable-length integer that is being read byte by byte: value so far, bits so far.
    varint: (u64, u32),
}

impl Doubting {
    fn new(rest: Bytes) -> Self {
        Self { rest, varint: (0, 0) }
    }
}

impl Buf for Doubting {
    fn remaining(&self) -> usize {
        self.rest.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.rest.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.varint = (0, 0);
        self.rest.advance(count);
    }

    fn try_get_u8(&mut self) -> Result<u8, TryGetError> {
        let byte = self.rest.try_get_u8()?;
        let (value, bits) = self.varint;
        let value = value | u64::from(byte & 0x7f) << bits;
        let (goes_on, available) = (byte >= 0x80, self.rest.remaining());
        let too_long = goes_on && bits == VARINT_LAST_SHIFT;
        if too_long || (!goes_on && bits > 0 && value > available as u64 + 1) {
            return Err(TryGetError { requested: usize::try_from(value).unwrap_or(usize::MAX), available });
        }
        self.varint = if goes_on { (value, bits + 7) } else { (0, 0) };
        Ok(byte)
    }

    fn try_get_i32(&mut self) -> Result<i32, TryGetError> {
        self.varint = (0, 0);
        let number = self.rest.try_get_i32()?;
        Ok(number.min(i32::try_from(self.rest.remaining() + 1).unwrap_or(i32::MAX)))
    }
}

impl ByteBuf for Doubting {
    fn peek_bytes(&mut self, range: std::ops::Range<usize>) -> Bytes {
        self.rest.slice(range)
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        self.varint = (0, 0);
        self.rest.split_to(size)
    }
}
