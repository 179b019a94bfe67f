//! A small durable map: what the broker must remember besides the logs.
//!
//! Topics, committed offsets, group members and the next producer id. Kept whole in memory and as a file of changes,
//! `state.log`, where each frame is `length u32 | CRC-32C u32 | JSON [[key, value or null], …]` and is applied as a
//! whole or not at all. When the file has grown to several times what is alive it is written anew and renamed.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Buf;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Bytes of a frame before its JSON.
const FRAME_HEADER_BYTES: usize = 8;
/// The file is not written anew before it has this size.
const REWRITE_BYTES_MIN: u64 = 1 << 20;
/// The file is written anew when it is this many times as large as after the last time.
const REWRITE_GROWTH: u64 = 4;

/// The name of something that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Key {
    /// The cluster's id.
    Cluster,
    /// The first producer id that has not been promised to anybody.
    ProducerIds,
    Topic(String),
    /// The members of a group and their assignments.
    Group(String),
    /// What a group has committed for a partition: group, topic, partition.
    Offset(String, String, i32),
}

/// One change: a new value, or `None` to forget the key.
pub(crate) type Change = (Key, Option<Value>);

/// See the module's docs.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    file: Arc<File>,
    bytes: u64,
    rewrite_at: u64,
    /// Changes since the start.
    applied: u64,
    closed: bool,
    live: BTreeMap<Key, Value>,
}

impl Store {
    /// Opens the map in `dir`, or begins one. Returns how many bytes of a torn tail were cut.
    pub fn open(dir: &Path) -> io::Result<(Self, u64)> {
        let path = dir.join("state.log");
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        let content = fs::read(&path)?;
        let mut live = BTreeMap::new();
        let mut rest = content.as_slice();
        while let Some((changes, after)) = decode_frame(rest) {
            apply(&mut live, changes);
            rest = after;
        }
        if let Some(lost) = (1..rest.len()).find(|begin| decode_frame(&rest[*begin..]).is_some()) {
            let at = content.len() - rest.len();
            let what = format!("{}: damaged at byte {at}, and whole changes follow at {}", path.display(), at + lost);
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let cut = rest.len() as u64;
        let bytes = content.len() as u64 - cut;
        file.set_len(bytes)?;
        sync_parent(&path)?;
        let rewrite_at = REWRITE_BYTES_MIN.max(bytes);
        Ok((Self { path, file: Arc::new(file), bytes, rewrite_at, applied: 0, closed: false, live }, cut))
    }

    /// The value of a key.
    pub fn get(&self, key: &Key) -> Option<&Value> {
        self.live.get(key)
    }

    /// All keys and values, in the keys' order, beginning with `from`.
    pub fn from(&self, from: Key) -> impl Iterator<Item = (&Key, &Value)> {
        self.live.range(from..)
    }

    /// Applies the changes together. On an error none of them is.
    pub fn apply(&mut self, changes: Vec<Change>) -> io::Result<()> {
        if self.closed {
            return Err(io::Error::other("the broker is stopping"));
        }
        let frame = encode_frame(&changes)?;
        if let Err(error) = self.file.write_all_at(&frame, self.bytes) {
            let _ = self.file.set_len(self.bytes);
            return Err(error);
        }
        self.bytes += frame.len() as u64;
        self.applied += 1;
        apply(&mut self.live, changes);
        if self.bytes >= self.rewrite_at {
            if let Err(error) = self.rewrite() {
                let _ = fs::remove_file(self.path.with_extension("next"));
                // Either file is whole; when it has grown again there will be another attempt.
                tracing::warn!(%error, path = %self.path.display(), "the state file could not be written anew");
            }
            self.rewrite_at = REWRITE_BYTES_MIN.max(self.bytes * REWRITE_GROWTH);
        }
        Ok(())
    }

    /// [`Store::apply`], and waits for the disk: for what must not come back or be forgotten after a loss of power.
    pub fn apply_durably(&mut self, changes: Vec<Change>) -> io::Result<()> {
        self.apply(changes)?;
        self.file.sync_data()
    }

    /// Refuses every further change: the broker stops.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// The file, and how many changes have been written: what a flush has to sync. (Not the file's size, which shrinks
    /// when the file is written anew.)
    pub fn written(&self) -> (Arc<File>, u64) {
        (Arc::clone(&self.file), self.applied)
    }

    fn rewrite(&mut self) -> io::Result<()> {
        let all: Vec<Change> = self.live.iter().map(|(k, v)| (k.clone(), Some(v.clone()))).collect();
        let frame = encode_frame(&all)?;
        let next = self.path.with_extension("next");
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&next)?;
        file.write_all_at(&frame, 0)?;
        file.sync_all()?;
        fs::rename(&next, &self.path)?;
        // From here on the new file is the one that a start would read, whatever happens next.
        self.file = Arc::new(file);
        self.bytes = frame.len() as u64;
        sync_parent(&self.path)
    }
}

/// Makes a file's name durable.
fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

fn apply(live: &mut BTreeMap<Key, Value>, changes: Vec<Change>) {
    for (key, value) in changes {
        match value {
            Some(value) => live.insert(key, value),
            None => live.remove(&key),
        };
    }
}

fn encode_frame(changes: &[Change]) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; FRAME_HEADER_BYTES];
    serde_json::to_writer(&mut frame, changes)?;
    let json = &frame[FRAME_HEADER_BYTES..];
    let length = u32::try_from(json.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    let crc = crc32c::crc32c(json);
    frame[..4].copy_from_slice(&length.to_be_bytes());
    frame[4..8].copy_from_slice(&crc.to_be_bytes());
    Ok(frame)
}

/// The changes of the first frame and what follows it; `None` where no whole frame begins.
fn decode_frame(bytes: &[u8]) -> Option<(Vec<Change>, &[u8])> {
    let (mut header, rest) = bytes.split_at_checked(FRAME_HEADER_BYTES)?;
    let (json, rest) = rest.split_at_checked(header.get_u32() as usize)?;
    let crc = header.get_u32();
    (crc32c::crc32c(json) == crc).then_some(())?;
    Some((serde_json::from_slice(json).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn topic(name: &str) -> Key {
        Key::Topic(name.into())
    }

    #[test]
    fn remembers_changes_and_removals() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, _) = Store::open(dir.path()).unwrap();
        store.apply(vec![(topic("a"), Some(json!(1))), (topic("b"), Some(json!(2)))]).unwrap();
        store.apply(vec![(topic("a"), None)]).unwrap();
        let (store, cut) = Store::open(dir.path()).unwrap();
        assert_eq!(cut, 0);
        assert_eq!(store.from(Key::Cluster).collect::<Vec<_>>(), [(&topic("b"), &json!(2))]);
    }

    #[test]
    fn a_tail_torn_at_any_byte_loses_only_the_last_change() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, _) = Store::open(dir.path()).unwrap();
        store.apply(vec![(topic("kept"), Some(json!(1)))]).unwrap();
        let whole = store.bytes;
        store.apply(vec![(topic("torn"), Some(json!(2)))]).unwrap();
        let content = fs::read(dir.path().join("state.log")).unwrap();
        for end in usize::try_from(whole).unwrap()..content.len() {
            fs::write(dir.path().join("state.log"), &content[..end]).unwrap();
            let (mut store, cut) = Store::open(dir.path()).unwrap();
            assert_eq!(cut, end as u64 - whole);
            assert_eq!((store.get(&topic("kept")), store.get(&topic("torn"))), (Some(&json!(1)), None));
            store.apply(vec![(topic("after"), Some(json!(3)))]).unwrap();
            let (store, _) = Store::open(dir.path()).unwrap();
            assert_eq!(store.get(&topic("after")), Some(&json!(3)));
        }
    }

    #[test]
    fn damage_in_the_middle_is_an_error_and_not_a_loss() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, _) = Store::open(dir.path()).unwrap();
        store.apply(vec![(topic("damaged"), Some(json!(1)))]).unwrap();
        store.apply(vec![(topic("whole"), Some(json!(2)))]).unwrap();
        let path = dir.path().join("state.log");
        let mut content = fs::read(&path).unwrap();
        content[FRAME_HEADER_BYTES + 3] ^= 1;
        fs::write(&path, content).unwrap();
        let error = Store::open(dir.path()).unwrap_err();
        assert!(error.to_string().contains("damaged at byte 0"), "{error}");
    }

    #[test]
    fn a_file_that_outgrew_what_is_alive_is_written_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, _) = Store::open(dir.path()).unwrap();
        let value = json!("x".repeat(10_000));
        for _ in 0..300 {
            store.apply(vec![(topic("a"), Some(value.clone()))]).unwrap();
        }
        assert!(fs::metadata(dir.path().join("state.log")).unwrap().len() < REWRITE_BYTES_MIN);
        assert_eq!(store.written().1, 300, "what a flush waits for only ever grows");
        let (store, _) = Store::open(dir.path()).unwrap();
        assert_eq!(store.get(&topic("a")), Some(&value));
    }
}
