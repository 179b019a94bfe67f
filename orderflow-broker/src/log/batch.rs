//! A record batch as it stands on the wire and on the disk (message format v2).
//!
//! ```text
//! offset  size  field                     covered by the CRC
//!      0     8  base offset               no, so the broker can write it
//!      8     4  length of what follows    no
//!     12     4  partition leader epoch    no, so the broker can write it
//!     16     1  magic (2)                 no
//!     17     4  CRC-32C of all that follows
//!     21     2  attributes                yes, and so is the rest
//!     23     4  last offset delta
//!     27     8  base timestamp
//!     35     8  max timestamp
//!     43     8  producer id
//!     51     2  producer epoch
//!     53     4  base sequence
//!     57     4  number of records
//!     61     …  records, compressed or not: appended as they came
//! ```

use bytes::Buf;

/// Bytes of a batch before its first record.
pub(crate) const HEADER_BYTES: usize = 61;
/// Bytes of a batch that its length field does not count.
const LENGTH_OVERHEAD: usize = 12;
/// Where the part covered by the CRC begins.
const CRC_BEGIN: usize = 21;

/// Attribute bits: compression codec (0 to 4).
const COMPRESSION: i16 = 0b0111;
/// Attribute bit: the batch is part of a transaction.
const TRANSACTIONAL: i16 = 1 << 4;
/// Attribute bit: the batch is a control batch, which only brokers write.
const CONTROL: i16 = 1 << 5;

/// The fields of a batch's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Batch {
    pub base_offset: i64,
    /// Whole size in bytes, header included.
    pub size: usize,
    crc: u32,
    attributes: i16,
    last_offset_delta: i32,
    base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    records: i32,
}

/// Why bytes are not a batch that can be appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BatchError {
    #[error("no whole batch")]
    Incomplete,
    #[error("the batch's length is less than its header")]
    Length,
    #[error("the message format {0} is not supported; the broker takes version 2")]
    Magic(i8),
    #[error("the CRC does not match")]
    Crc,
    #[error("the batch's header contradicts itself: {0}")]
    Invalid(&'static str),
    #[error("transactions are not supported")]
    Transactional,
}

impl Batch {
    /// Reads a header. Looks at the length and the format only: enough to walk a log.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        if bytes.len() < HEADER_BYTES {
            return Err(BatchError::Incomplete);
        }
        let mut b = bytes;
        let base_offset = b.get_i64();
        let length = b.get_i32();
        let size = usize::try_from(length).map_err(|_| BatchError::Length)? + LENGTH_OVERHEAD;
        let _leader_epoch = b.get_i32();
        let magic = b.get_i8();
        if magic != 2 {
            return Err(BatchError::Magic(magic));
        }
        if size < HEADER_BYTES {
            return Err(BatchError::Length);
        }
        Ok(Self {
            base_offset,
            size,
            crc: b.get_u32(),
            attributes: b.get_i16(),
            last_offset_delta: b.get_i32(),
            base_timestamp: b.get_i64(),
            max_timestamp: b.get_i64(),
            producer_id: b.get_i64(),
            producer_epoch: b.get_i16(),
            base_sequence: b.get_i32(),
            records: b.get_i32(),
        })
    }

    /// Reads the batch at the start of `bytes` and checks that it is whole and that its CRC matches.
    pub fn verify(bytes: &[u8]) -> Result<Self, BatchError> {
        let batch = Self::parse(bytes)?;
        let covered = bytes.get(CRC_BEGIN..batch.size).ok_or(BatchError::Incomplete)?;
        if crc32c::crc32c(covered) != batch.crc {
            return Err(BatchError::Crc);
        }
        if batch.last_offset_delta < 0 || batch.next_offset() < batch.base_offset {
            return Err(BatchError::Invalid("offset delta"));
        }
        Ok(batch)
    }

    /// [`Batch::verify`], and what holds for a batch that comes from a producer.
    pub fn verify_produced(bytes: &[u8]) -> Result<Self, BatchError> {
        let batch = Self::verify(bytes)?;
        if batch.records <= 0 || batch.last_offset_delta != batch.records - 1 {
            return Err(BatchError::Invalid("number of records"));
        }
        if batch.attributes & COMPRESSION > 4 {
            return Err(BatchError::Invalid("compression codec"));
        }
        if batch.attributes & CONTROL != 0 {
            return Err(BatchError::Invalid("control batches are for brokers"));
        }
        if batch.attributes & TRANSACTIONAL != 0 {
            return Err(BatchError::Transactional);
        }
        if batch.producer_id >= 0 && (batch.producer_epoch < 0 || batch.base_sequence < 0) {
            return Err(BatchError::Invalid("producer epoch or sequence"));
        }
        Ok(batch)
    }

    /// The offset after the batch's last record.
    pub fn next_offset(&self) -> i64 {
        self.base_offset.saturating_add(i64::from(self.last_offset_delta) + 1)
    }

    /// The sequence of the last record; sequences wrap from `i32::MAX` to 0.
    pub fn last_sequence(&self) -> i32 {
        let last = i64::from(self.base_sequence) + i64::from(self.last_offset_delta);
        i32::try_from(last % (i64::from(i32::MAX) + 1)).unwrap_or(0)
    }

    /// Whether the producer numbers its batches.
    pub fn is_idempotent(&self) -> bool {
        self.producer_id >= 0
    }

    /// The same batch at another offset.
    pub fn at(self, base_offset: i64) -> Self {
        Self { base_offset, ..self }
    }

    /// Writes `base_offset` and leader epoch 0 into the bytes of a batch. Neither is covered by the CRC.
    pub fn patch(bytes: &mut [u8], base_offset: i64) {
        bytes[0..8].copy_from_slice(&base_offset.to_be_bytes());
        bytes[12..16].copy_from_slice(&0i32.to_be_bytes());
    }

    /// The first record whose time stamp is not before `timestamp`, as (time stamp, offset).
    ///
    /// `bytes` is the whole batch. In a compressed batch the records cannot be told apart without its codec:
    /// the batch's first record stands for all, so that a reader who starts there misses nothing.
    pub fn first_at_or_after(&self, bytes: &[u8], timestamp: i64) -> Option<(i64, i64)> {
        if self.max_timestamp < timestamp {
            return None;
        }
        if self.attributes & COMPRESSION != 0 {
            return Some((self.base_timestamp, self.base_offset));
        }
        // Where the contents do not have the record that the header promises, the first one stands for it too.
        self.find_record(bytes, timestamp).or(Some((self.base_timestamp, self.base_offset)))
    }

    fn find_record(&self, bytes: &[u8], timestamp: i64) -> Option<(i64, i64)> {
        let mut rest = bytes.get(HEADER_BYTES..self.size)?;
        for _ in 0..self.records {
            let length = usize::try_from(varint(&mut rest)?).ok()?;
            let (mut record, after) = rest.split_at_checked(length)?;
            rest = after;
            record = record.get(1..)?; // attributes, unused
            let at = self.base_timestamp.saturating_add(varint(&mut record)?);
            let delta = varint(&mut record)?;
            if at >= timestamp {
                return Some((at, self.base_offset.saturating_add(delta)));
            }
        }
        None
    }
}

/// A zigzag-encoded variable-length integer, as records use it.
fn varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    None
}
