//! One file of a partition's log, with an index by offset and by time.
//!
//! `<base offset>.log` holds record batches back to back, nothing else. The index lives in memory and is sparse: one
//! entry every [`INDEX_INTERVAL_BYTES`]. When a segment is sealed its index goes to `<base offset>.index`, so that a
//! start reads and checks only the newest segment; an index that is missing or does not fit is rebuilt.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::batch::{Batch, HEADER_BYTES};
use crate::producers::Producers;

/// Distance between two index entries; also how far a lookup may have to walk.
const INDEX_INTERVAL_BYTES: u64 = 4096;
/// How much of a file a walk reads at a time.
const WALK_BYTES: usize = 8192;

/// An entry of the index: all batches before `position` have smaller offsets and no time stamp above `max_before`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Entry {
    offset: i64,
    position: u64,
    max_before: i64,
}

/// What is written beside a segment when it is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed {
    bytes: u64,
    next_offset: i64,
    max_timestamp: i64,
    index: Vec<Entry>,
    /// The partition's producers as they were at the segment's end.
    producers: Producers,
}

/// See the module's docs.
#[derive(Debug)]
pub(super) struct Segment {
    pub base_offset: i64,
    pub next_offset: i64,
    pub file: Arc<File>,
    pub bytes: u64,
    /// The largest time stamp in the segment, -1 when it is empty.
    pub max_timestamp: i64,
    path: PathBuf,
    index: Vec<Entry>,
}

/// What was cut off a segment's end when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    pub path: PathBuf,
    /// Size of the file before and after, in bytes.
    pub from: u64,
    pub to: u64,
}

impl Segment {
    pub fn create(dir: &Path, base_offset: i64) -> io::Result<Self> {
        let path = dir.join(format!("{base_offset:020}.log"));
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
        Ok(Self::empty(path, file, base_offset))
    }

    fn empty(path: PathBuf, file: File, base_offset: i64) -> Self {
        Self {
            base_offset,
            next_offset: base_offset,
            file: Arc::new(file),
            bytes: 0,
            max_timestamp: -1,
            path,
            index: Vec::new(),
        }
    }

    /// Opens a sealed segment by its index file, or by reading it whole where that does not fit.
    /// Leaves in `producers` what was known at the segment's end.
    pub fn open_sealed(path: &Path, base_offset: i64, producers: &mut Producers) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(path)?;
        let bytes = file.metadata()?.len();
        let sealed = fs::read(path.with_extension("index")).ok();
        let sealed = sealed.and_then(|json| serde_json::from_slice::<Sealed>(&json).ok());
        if let Some(sealed) = sealed.filter(|s| s.bytes == bytes) {
            *producers = sealed.producers;
            return Ok(Self {
                next_offset: sealed.next_offset,
                bytes,
                max_timestamp: sealed.max_timestamp,
                index: sealed.index,
                ..Self::empty(path.into(), file, base_offset)
            });
        }
        let mut segment = Self::empty(path.into(), file, base_offset);
        segment.read_all(bytes, producers)?;
        if segment.bytes < bytes {
            let at = segment.bytes;
            let what =
                format!("{}: the batch at byte {at} of {bytes} is damaged, and newer segments follow", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        segment.seal(producers)?;
        Ok(segment)
    }

    /// Opens the newest segment: checks every batch, cuts the file after the last whole one.
    pub fn open_newest(path: &Path, base_offset: i64, producers: &mut Producers) -> io::Result<(Self, Option<Cut>)> {
        let file = File::options().read(true).write(true).open(path)?;
        let from = file.metadata()?.len();
        let mut segment = Self::empty(path.into(), file, base_offset);
        segment.read_all(from, producers)?;
        if segment.bytes == from {
            return Ok((segment, None));
        }
        segment.file.set_len(segment.bytes)?;
        let cut = Cut { path: path.into(), from, to: segment.bytes };
        Ok((segment, Some(cut)))
    }

    /// Takes in whole and unbroken batches from the start of the file, up to the first that is not.
    fn read_all(&mut self, file_bytes: u64, producers: &mut Producers) -> io::Result<()> {
        let file = Arc::clone(&self.file);
        let mut walk = Walk::new(&file, 0, file_bytes);
        while let Some((position, header)) = walk.next()? {
            let mut bytes = vec![0; header.size];
            file.read_exact_at(&mut bytes, position)?;
            match Batch::verify(&bytes) {
                Ok(batch) if batch.base_offset == self.next_offset => {
                    producers.record(&batch);
                    self.took(&batch);
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// Writes a batch at the end. On an error nothing of it is left.
    pub fn append(&mut self, bytes: &[u8], batch: &Batch) -> io::Result<()> {
        if let Err(error) = self.file.write_all_at(bytes, self.bytes) {
            // What a failed truncation leaves is overwritten by the next append, or cut at the next start.
            let _ = self.file.set_len(self.bytes);
            return Err(error);
        }
        self.took(batch);
        Ok(())
    }

    /// Accounts for a batch that is in the file.
    fn took(&mut self, batch: &Batch) {
        if self.index.last().is_none_or(|last| self.bytes - last.position >= INDEX_INTERVAL_BYTES) {
            let entry = Entry { offset: batch.base_offset, position: self.bytes, max_before: self.max_timestamp };
            self.index.push(entry);
        }
        self.bytes += batch.size as u64;
        self.next_offset = batch.next_offset();
        self.max_timestamp = self.max_timestamp.max(batch.max_timestamp);
    }

    /// Makes the segment durable and writes its index beside it; nothing is appended to it any more.
    pub fn seal(&self, producers: &Producers) -> io::Result<()> {
        // What a failed append may have left behind it goes.
        self.file.set_len(self.bytes)?;
        self.file.sync_data()?;
        let sealed = Sealed {
            bytes: self.bytes,
            next_offset: self.next_offset,
            max_timestamp: self.max_timestamp,
            index: self.index.clone(),
            producers: producers.clone(),
        };
        fs::write(self.path.with_extension("index"), serde_json::to_vec(&sealed)?)
    }

    /// The batch that holds `offset`, with its position.
    pub fn find_offset(&self, offset: i64) -> io::Result<Option<(u64, Batch)>> {
        let after = self.index.partition_point(|e| e.offset <= offset);
        self.find(after, |batch| batch.next_offset() > offset)
    }

    /// The first batch with a time stamp that is not before `timestamp`, with its position.
    pub fn find_time(&self, timestamp: i64) -> io::Result<Option<(u64, Batch)>> {
        let after = self.index.partition_point(|e| e.max_before < timestamp);
        self.find(after, |batch| batch.max_timestamp >= timestamp)
    }

    /// Walks from the entry before index `after` to the first batch that is wanted.
    fn find(&self, after: usize, wanted: impl Fn(&Batch) -> bool) -> io::Result<Option<(u64, Batch)>> {
        let from = after.checked_sub(1).map_or(0, |i| self.index[i].position);
        let mut walk = Walk::new(&self.file, from, self.bytes);
        while let Some((position, batch)) = walk.next()? {
            if wanted(&batch) {
                return Ok(Some((position, batch)));
            }
        }
        Ok(None)
    }

    /// Removes the segment's files. A reader that holds the file can finish.
    pub fn remove(&self) -> io::Result<()> {
        for path in [&self.path, &self.path.with_extension("index")] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Goes from batch header to batch header through a part of a file; ends at the first that is not whole.
struct Walk<'a> {
    file: &'a File,
    position: u64,
    end: u64,
    chunk: Vec<u8>,
    chunk_position: u64,
}

impl<'a> Walk<'a> {
    fn new(file: &'a File, from: u64, end: u64) -> Self {
        Self { file, position: from, end, chunk: Vec::new(), chunk_position: 0 }
    }

    fn next(&mut self) -> io::Result<Option<(u64, Batch)>> {
        let position = self.position;
        if position + HEADER_BYTES as u64 > self.end {
            return Ok(None);
        }
        let Ok(batch) = Batch::parse(self.header(position)?) else { return Ok(None) };
        self.position += batch.size as u64;
        Ok((self.position <= self.end).then_some((position, batch)))
    }

    /// The bytes at `position`, a header's length at least, from a chunk that is read ahead.
    fn header(&mut self, position: u64) -> io::Result<&[u8]> {
        let chunk_end = self.chunk_position + self.chunk.len() as u64;
        if position < self.chunk_position || position + HEADER_BYTES as u64 > chunk_end {
            let bytes = usize::try_from(self.end - position).unwrap_or(WALK_BYTES).min(WALK_BYTES);
            self.chunk.resize(bytes, 0);
            self.file.read_exact_at(&mut self.chunk, position)?;
            self.chunk_position = position;
        }
        let begin = usize::try_from(position - self.chunk_position).unwrap_or(0);
        Ok(&self.chunk[begin..])
    }
}
