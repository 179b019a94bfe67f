//! What a partition remembers of its idempotent producers, so that a batch sent twice is kept once.
//!
//! The rules are Kafka's (KIP-98, KIP-360). A producer numbers its records in each partition. A batch is taken when
//! its first number follows the last one; it is a duplicate when it equals one of the last [`BATCHES_KEPT`]; anything
//! else is a gap. A new epoch starts again at 0, an older one belongs to a zombie. The memory is rebuilt from the log.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::log::Batch;

/// How many batches of a producer are remembered. Five, because clients keep at most five in flight.
const BATCHES_KEPT: usize = 5;
/// How many producers a partition remembers; one more pushes out the one that was silent longest.
const PRODUCERS_MAX: usize = 4096;

/// The producers of one partition.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Producers {
    by_id: HashMap<i64, Producer>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Producer {
    epoch: i16,
    /// Oldest first; empty while nothing of it could be appended.
    batches: VecDeque<Remembered>,
    /// The first sequence, of a producer whose first batch was refused by the disk.
    begins_at: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Remembered {
    first_sequence: i32,
    last_sequence: i32,
    first_offset: i64,
}

/// What to do with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Append,
    /// It is in the log already, beginning at this offset.
    Duplicate {
        first_offset: i64,
    },
}

/// Why a batch is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SequenceError {
    #[error("the sequence does not follow the last one")]
    OutOfOrder,
    #[error("the producer's epoch is older than one already seen")]
    StaleEpoch,
}

impl Producers {
    /// Decides about a batch without remembering it.
    pub fn check(&self, batch: &Batch) -> Result<Verdict, SequenceError> {
        if !batch.is_idempotent() {
            return Ok(Verdict::Append);
        }
        // A producer that is not known may begin anywhere: retention may have dropped what it wrote before.
        let Some(producer) = self.by_id.get(&batch.producer_id) else { return Ok(Verdict::Append) };
        if batch.producer_epoch < producer.epoch {
            return Err(SequenceError::StaleEpoch);
        }
        if batch.producer_epoch > producer.epoch {
            return if batch.base_sequence == 0 { Ok(Verdict::Append) } else { Err(SequenceError::OutOfOrder) };
        }
        let last_sequence = batch.last_sequence();
        let same = |b: &&Remembered| b.first_sequence == batch.base_sequence && b.last_sequence == last_sequence;
        if let Some(found) = producer.batches.iter().find(same) {
            return Ok(Verdict::Duplicate { first_offset: found.first_offset });
        }
        let after = |last: &Remembered| last.last_sequence.checked_add(1).unwrap_or(0);
        let expected = producer.batches.back().map_or(producer.begins_at, after);
        if batch.base_sequence == expected { Ok(Verdict::Append) } else { Err(SequenceError::OutOfOrder) }
    }

    /// Remembers that a batch could not be appended. Of a producer that is not known yet, a later batch must not be
    /// taken for its first.
    pub fn refuse(&mut self, batch: &Batch) {
        if batch.is_idempotent() && !self.by_id.contains_key(&batch.producer_id) {
            self.make_room();
            let (epoch, begins_at) = (batch.producer_epoch, batch.base_sequence);
            self.by_id.insert(batch.producer_id, Producer { epoch, batches: VecDeque::new(), begins_at });
        }
    }

    /// Remembers a batch that is in the log.
    pub fn record(&mut self, batch: &Batch) {
        if !batch.is_idempotent() {
            return;
        }
        if !self.by_id.contains_key(&batch.producer_id) {
            self.make_room();
        }
        let producer = self.by_id.entry(batch.producer_id).or_insert_with(|| Producer {
            epoch: batch.producer_epoch,
            batches: VecDeque::new(),
            begins_at: 0,
        });
        if producer.epoch != batch.producer_epoch {
            producer.epoch = batch.producer_epoch;
            producer.batches.clear();
        }
        if producer.batches.len() == BATCHES_KEPT {
            producer.batches.pop_front();
        }
        producer.batches.push_back(Remembered {
            first_sequence: batch.base_sequence,
            last_sequence: batch.last_sequence(),
            first_offset: batch.base_offset,
        });
    }

    /// Forgets the producer that was silent longest, if there are too many.
    fn make_room(&mut self) {
        if self.by_id.len() >= PRODUCERS_MAX {
            let last_offset = |p: &Producer| p.batches.back().map_or(-1, |b| b.first_offset);
            let silent = self.by_id.iter().min_by_key(|(_, p)| last_offset(p)).map(|(&id, _)| id);
            silent.map(|id| self.by_id.remove(&id));
        }
    }
}
