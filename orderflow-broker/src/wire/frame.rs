//! Frames: how bytes become requests and answers become bytes, without trusting a length that a client sends.

use std::{future::Future, time::Duration};

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
/// Most fields of one request. One that names all partitions a broker can have stays far below.
const FIELDS_MAX: usize = 100_000;
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
    let (api_key, size) = in_time(read_start(first, stream, state)).await?;
    // Not within the time-out: it is others who keep us waiting here.
    let budget = if size > SMALL_FRAME_BYTES_MAX { &state.large_requests } else { &state.requests };
    let memory = budget.reserve(size).await;
    let bytes = in_time(read_rest(api_key, size, stream)).await?;
    Ok(Some(Frame { bytes, _memory: memory }))
}

async fn in_time<T>(reading: impl Future<Output = Result<T, Close>>) -> Result<T, Close> {
    tokio::time::timeout(READ_TIMEOUT, reading).await.map_err(|_| Close::Timeout)?
}

/// The API key and the size of the frame without its length.
async fn read_start(first: u8, stream: &mut (impl AsyncRead + Unpin), state: &State) -> Result<(i16, usize), Close> {
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
    Ok((api_key, size))
}

async fn read_rest(api_key: i16, size: usize, stream: &mut (impl AsyncRead + Unpin)) -> Result<Bytes, Close> {
    let mut bytes = BytesMut::with_capacity(size);
    bytes.put_i16(api_key);
    let mut rest = stream.take((size - 2) as u64);
    while bytes.len() < size {
        if rest.read_buf(&mut bytes).await? == 0 {
            return Err(Close::BadFrame("the connection ended in the middle of it".into()));
        }
    }
    Ok(bytes.freeze())
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
///
/// An element on the wire may be two bytes and a hundred in memory. So there may be only so many of them, too.
struct Doubting {
    rest: Bytes,
    /// How many more fields are read.
    fields_left: usize,
    /// The variable-length integer that is being read byte by byte: value so far, bits so far.
    varint: (u64, u32),
}

impl Doubting {
    fn new(rest: Bytes) -> Self {
        Self { rest, fields_left: FIELDS_MAX, varint: (0, 0) }
    }

    fn count(&mut self) -> Result<(), TryGetError> {
        let left = self.fields_left.checked_sub(1);
        self.fields_left = left.ok_or(TryGetError { requested: FIELDS_MAX, available: 0 })?;
        Ok(())
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
        self.count()?;
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
        self.count()?;
        let number = self.rest.try_get_i32()?;
        let elements_max = (self.rest.remaining() + 1).min(FIELDS_MAX + 1);
        Ok(number.min(i32::try_from(elements_max).unwrap_or(i32::MAX)))
    }

    fn try_get_i16(&mut self) -> Result<i16, TryGetError> {
        self.varint = (0, 0);
        self.count()?;
        self.rest.try_get_i16()
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
