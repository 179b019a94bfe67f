//! A partition's log: record batches in order, in segments, on the disk.
//!
//! Plain synchronous code without a clock and without sockets. The rules:
//! - A batch is appended as it came; only its base offset and leader epoch are written into it.
//! - Offsets have no gap. A failed append leaves nothing behind.
//! - The file is the truth. Index and producers are derived from it and can be rebuilt at any time.
//! - On open, a torn tail of the newest segment is cut and reported; damage anywhere else is an error.

mod batch;
mod segment;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::VecDeque,
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use segment::Segment;

pub(crate) use self::{
    batch::{Batch, BatchError},
    segment::Cut,
};
use crate::producers::{Producers, SequenceError, Verdict};

/// Settings of one log; a topic may override the broker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogSettings {
    pub segment_bytes: u64,
    /// -1: for ever.
    pub retention_ms: i64,
    /// -1: no limit.
    pub retention_bytes: i64,
}

/// See the module's docs.
#[derive(Debug)]
pub(crate) struct Log {
    dir: PathBuf,
    settings: LogSettings,
    /// By base offset, never empty; the last one is appended to.
    segments: VecDeque<Segment>,
    producers: Producers,
}

/// A batch that is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    /// The offset of its first record.
    pub first_offset: i64,
    /// It was not there before.
    pub is_new: bool,
}

/// Why an append was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    #[error("the log could not be written")]
    Storage(#[from] io::Error),
}

/// The offset asked for is not in the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutOfRange;

/// Where to find the batches that a read asked for; [`Chunk::load`] reads them without the log's lock.
#[derive(Debug)]
pub(crate) struct Chunk {
    file: Arc<File>,
    position: u64,
    bytes: usize,
}

impl Log {
    /// Opens the log in `dir`, or begins one there.
    pub fn open(dir: PathBuf, settings: LogSettings) -> io::Result<(Self, Option<Cut>)> {
        fs::create_dir_all(&dir)?;
        let mut found = segment_files(&dir)?;
        let mut log = Self { dir, settings, segments: VecDeque::new(), producers: Producers::default() };
        let Some((newest_offset, newest)) = found.pop() else {
            log.segments.push_back(Segment::create(&log.dir, 0)?);
            return Ok((log, None));
        };
        for (base_offset, path) in found {
            let segment = Segment::open_sealed(&path, base_offset, &mut log.producers)?;
            log.push(segment)?;
        }
        let (segment, cut) = Segment::open_newest(&newest, newest_offset, &mut log.producers)?;
        log.push(segment)?;
        Ok((log, cut))
    }

    /// Adds a segment that must begin where the one before it ends.
    fn push(&mut self, segment: Segment) -> io::Result<()> {
        let expected = self.segments.back().map_or(segment.base_offset, |last| last.next_offset);
        if segment.base_offset != expected {
            let dir = self.dir.display();
            let what = format!("{dir}: a segment begins at offset {}, not at {expected}", segment.base_offset);
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        self.segments.push_back(segment);
        Ok(())
    }

    /// The offset of the first record that is kept.
    pub fn start_offset(&self) -> i64 {
        self.segments[0].base_offset
    }

    /// The offset that the next record gets. With one replica it is the high watermark too.
    pub fn end_offset(&self) -> i64 {
        self.active().next_offset
    }

    /// The newest segment's file: what a flush has to sync.
    pub fn active_file(&self) -> Arc<File> {
        Arc::clone(&self.active().file)
    }

    fn active(&self) -> &Segment {
        &self.segments[self.segments.len() - 1]
    }

    /// Appends a verified batch, unless its producer has sent it before.
    pub fn append(&mut self, bytes: &[u8], batch: &Batch) -> Result<Appended, AppendError> {
        match self.producers.check(batch)? {
            Verdict::Duplicate { first_offset } => Ok(Appended { first_offset, is_new: false }),
            Verdict::Append => match self.append_unchecked(bytes, batch) {
                Ok(first_offset) => Ok(Appended { first_offset, is_new: true }),
                Err(error) => {
                    self.refuse(batch);
                    Err(error.into())
                }
            },
        }
    }

    /// Takes note that a batch was refused which its producer will send again: what it has sent after it must wait.
    pub fn refuse(&mut self, batch: &Batch) {
        self.producers.refuse(batch);
    }

    /// Appends a verified batch without asking whether it is a duplicate.
    pub fn append_unchecked(&mut self, bytes: &[u8], batch: &Batch) -> io::Result<i64> {
        let full = self.active().bytes + batch.size as u64 > self.settings.segment_bytes;
        if full && self.active().bytes > 0 {
            self.roll()?;
        }
        let base_offset = self.end_offset();
        let batch = batch.at(base_offset);
        let mut bytes = bytes.to_vec();
        Batch::patch(&mut bytes, base_offset);
        let active = self.segments.len() - 1;
        self.segments[active].append(&bytes, &batch)?;
        self.producers.record(&batch);
        Ok(base_offset)
    }

    /// Seals the newest segment and begins another.
    fn roll(&mut self) -> io::Result<()> {
        self.active().seal(&self.producers)?;
        let dir = File::open(&self.dir)?;
        let next = Segment::create(&self.dir, self.end_offset())?;
        // A file whose name is not on the disk is lost with the power, whatever was synced into it.
        if let Err(error) = dir.sync_all() {
            let _ = next.remove(); // what is left of it is empty, and forgotten at the next start
            return Err(error);
        }
        self.segments.push_back(next);
        Ok(())
    }

    /// Finds whole batches from the one that holds `offset` on: at most `bytes_max`, but one batch at least when
    /// `one_at_least`. `None` when there is nothing (yet).
    pub fn read(
        &self,
        offset: i64,
        bytes_max: usize,
        one_at_least: bool,
    ) -> io::Result<Result<Option<Chunk>, OutOfRange>> {
        if offset < self.start_offset() || offset > self.end_offset() {
            return Ok(Err(OutOfRange));
        }
        let holding = self.segments.partition_point(|s| s.base_offset <= offset) - 1;
        let segment = &self.segments[holding];
        let Some((position, first)) = segment.find_offset(offset)? else { return Ok(Ok(None)) };
        let available = usize::try_from(segment.bytes - position).unwrap_or(usize::MAX);
        let bytes = if one_at_least { bytes_max.max(first.size) } else { bytes_max };
        let chunk = Chunk { file: Arc::clone(&segment.file), position, bytes: bytes.min(available) };
        Ok(Ok((bytes >= first.size).then_some(chunk)))
    }

    /// The first record whose time stamp is not before `timestamp`, as (time stamp, offset).
    pub fn find_time(&self, timestamp: i64) -> io::Result<Option<(i64, i64)>> {
        let Some(segment) = self.segments.iter().find(|s| s.bytes > 0 && s.max_timestamp >= timestamp) else {
            return Ok(None);
        };
        let Some((position, batch)) = segment.find_time(timestamp)? else { return Ok(None) };
        let mut bytes = vec![0; batch.size];
        segment.file.read_exact_at(&mut bytes, position)?;
        Ok(batch.first_at_or_after(&bytes, timestamp))
    }

    /// The record with the largest time stamp, as (time stamp, offset).
    pub fn find_max_time(&self) -> io::Result<Option<(i64, i64)>> {
        let newest = self.segments.iter().filter(|s| s.bytes > 0).map(|s| s.max_timestamp).max();
        newest.map_or(Ok(None), |timestamp| self.find_time(timestamp))
    }

    /// Drops the oldest segments that are past their time or over the size. Returns how many.
    pub fn retain(&mut self, now_ms: i64) -> io::Result<usize> {
        let LogSettings { retention_ms, retention_bytes, .. } = self.settings;
        // Records without a time do not grow old.
        let limit = now_ms.saturating_sub(retention_ms);
        let expired = |s: &Segment| retention_ms >= 0 && (0..limit).contains(&s.max_timestamp);
        if expired(self.active()) {
            self.roll()?;
        }
        let mut total: u64 = self.segments.iter().map(|s| s.bytes).sum();
        let over = |total: u64, s: &Segment| {
            u64::try_from(retention_bytes).is_ok_and(|limit| total.saturating_sub(s.bytes) >= limit)
        };
        let mut dropped = 0;
        while self.segments.len() > 1 && (expired(&self.segments[0]) || over(total, &self.segments[0])) {
            self.segments[0].remove()?;
            total -= self.segments[0].bytes;
            self.segments.pop_front();
            dropped += 1;
        }
        Ok(dropped)
    }
}

/// The segments in a directory by their base offset. An empty one is forgotten unless it is all there is: a roll that
/// failed half-way may have left it, and the segment before it may have grown since.
fn segment_files(dir: &Path) -> io::Result<Vec<(i64, PathBuf)>> {
    let mut found: Vec<(i64, PathBuf, u64)> = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let base_offset = path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse().ok());
        if let (Some(base_offset), Some("log")) = (base_offset, path.extension().and_then(|e| e.to_str())) {
            let bytes = fs::metadata(&path)?.len();
            found.push((base_offset, path, bytes));
        }
    }
    found.sort_unstable();
    let newest = found.last().map(|(base_offset, ..)| *base_offset);
    let any_records = found.iter().any(|(.., bytes)| *bytes > 0);
    let forgotten = |base_offset, bytes| bytes == 0 && (any_records || Some(base_offset) != newest);
    for (_, path, _) in found.iter().filter(|(base_offset, _, bytes)| forgotten(*base_offset, *bytes)) {
        fs::remove_file(path)?;
    }
    let kept = found.into_iter().filter(|(base_offset, _, bytes)| !forgotten(*base_offset, *bytes));
    Ok(kept.map(|(base_offset, path, _)| (base_offset, path)).collect())
}

impl Chunk {
    /// How many bytes [`Chunk::load`] returns at most.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reads the batches, without a last one that is not whole.
    pub fn load(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.bytes];
        self.file.read_exact_at(&mut bytes, self.position)?;
        let mut whole = 0;
        while let Ok(batch) = Batch::parse(&bytes[whole..])
            && whole + batch.size <= bytes.len()
        {
            whole += batch.size;
        }
        bytes.truncate(whole);
        Ok(bytes)
    }
}
