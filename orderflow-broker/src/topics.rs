//! The topics and their partitions: what exists, with which settings, and where its log is.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use kafka_protocol::error::ResponseError;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    config::{Config, Flush},
    flush::GroupCommit,
    log::Log,
    store::{Key, Store},
    topic_config::TopicConfig,
};

/// Longest name of a topic (Kafka's rule: it must fit in a file name with the partition's number).
const NAME_BYTES_MAX: usize = 249;
/// Where logs wait for their removal, so that a topic's name is free at once.
const TRASH: &str = "deleted";

/// One topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub name: String,
    pub id: Uuid,
    pub config: TopicConfig,
    /// Largest batch, in bytes.
    pub message_bytes_max: usize,
    pub partitions: Vec<Arc<Partition>>,
}

/// One partition: a log, and who waits for it.
#[derive(Debug)]
pub(crate) struct Partition {
    log: Mutex<Log>,
    /// Told after each append, and when the topic is gone.
    pub appended: Notify,
    flushed: GroupCommit,
    gone: AtomicBool,
}

impl Partition {
    pub fn log(&self) -> MutexGuard<'_, Log> {
        // A panic under this lock would leave at worst an index entry too few; the file stays the truth.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forces the log to the disk, together with all others that wait for the same.
    pub async fn flush(&self) -> io::Result<()> {
        let end = |offset: i64| u64::try_from(offset).unwrap_or(0);
        let until = end(self.log().end_offset());
        let written = || {
            let log = self.log();
            (log.active_file(), end(log.end_offset()))
        };
        self.flushed.wait(until, written).await
    }

    /// Whether the topic was deleted, or the broker stopped, while somebody still held the partition. Who appends asks
    /// under the log's lock.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Takes no more appends. When it returns, none is under way.
    fn close(&self) {
        let _log = self.log();
        self.gone.store(true, Ordering::Release);
        self.appended.notify_waiters();
    }
}

/// What a topic is to be created with.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewTopic {
    pub name: String,
    pub partitions: i32,
    pub config: TopicConfig,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    id: Uuid,
    partitions: i32,
    config: TopicConfig,
}

/// All topics by name.
#[derive(Debug)]
pub(crate) struct Topics {
    dir: PathBuf,
    by_name: RwLock<BTreeMap<String, Arc<Topic>>>,
}

impl Topics {
    /// Opens the logs of every topic that the store knows.
    pub fn open(config: &Config, store: &Store) -> io::Result<Self> {
        let dir = config.data_dir.join("topics");
        fs::create_dir_all(&dir)?;
        match fs::remove_dir_all(config.data_dir.join(TRASH)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut by_name = BTreeMap::new();
        for (key, value) in store.from(Key::Topic(String::new())) {
            let Key::Topic(name) = key else { break };
            let stored: Stored = serde_json::from_value(value.clone())?;
            by_name.insert(name.clone(), Arc::new(open_topic(&dir, name, &stored, config)?));
        }
        remove_orphans(&dir, &by_name)?;
        Ok(Self { dir, by_name: RwLock::new(by_name) })
    }

    pub fn get(&self, name: &str) -> Option<Arc<Topic>> {
        self.names().get(name).cloned()
    }

    pub fn by_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        self.all().into_iter().find(|topic| topic.id == id)
    }

    /// By name.
    pub fn all(&self) -> Vec<Arc<Topic>> {
        self.names().values().cloned().collect()
    }

    pub fn partition(&self, name: &str, index: i32) -> Option<Arc<Partition>> {
        let topic = self.get(name)?;
        topic.partitions.get(usize::try_from(index).ok()?).cloned()
    }

    /// Creates a topic, or only says whether it could be. Returns the topic's id.
    pub fn create(
        &self,
        new: &NewTopic,
        config: &Config,
        store: &Mutex<Store>,
        validate_only: bool,
    ) -> Result<Uuid, (ResponseError, String)> {
        check_name(&new.name).map_err(|why| (ResponseError::InvalidTopicException, why))?;
        let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if by_name.contains_key(&new.name) {
            return Err((ResponseError::TopicAlreadyExists, format!("Topic '{}' already exists.", new.name)));
        }
        let used: usize = by_name.values().map(|t| t.partitions.len()).sum();
        if !usize::try_from(new.partitions).is_ok_and(|n| n > 0 && used + n <= config.partitions_max) {
            let why = format!(
                "{} partitions; a topic has at least 1, all topics together at most {}, {used} are in use.",
                new.partitions, config.partitions_max
            );
            return Err((ResponseError::InvalidPartitions, why));
        }
        let alike = |name: &str| name.replace('.', "_");
        let new_alike = alike(&new.name);
        if let Some(other) = by_name.keys().find(|other| alike(other) == new_alike) {
            let why = format!("Topic '{}' collides with existing topic: {other}", new.name);
            return Err((ResponseError::InvalidTopicException, why));
        }
        let stored = Stored { id: crate::random_uuid(), partitions: new.partitions, config: new.config.clone() };
        if validate_only {
            return Ok(stored.id);
        }
        let storage = |error: io::Error| (ResponseError::KafkaStorageError, error.to_string());
        let topic = open_topic(&self.dir, &new.name, &stored, config).map_err(storage)?;
        if config.flush == Flush::Always {
            sync_names(&self.dir, &topic).map_err(storage)?;
        }
        let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
        store.apply_durably(vec![(Key::Topic(new.name.clone()), Some(json!(stored)))]).map_err(storage)?;
        by_name.insert(new.name.clone(), Arc::new(topic));
        Ok(stored.id)
    }

    /// Removes a topic with all that groups have committed for it. `id` is the one that was meant: by now the name may
    /// belong to another topic.
    pub fn delete(&self, name: &str, id: Uuid, config: &Config, store: &Mutex<Store>) -> Result<(), ResponseError> {
        let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        let topic = by_name.get(name).filter(|topic| topic.id == id).ok_or(ResponseError::UnknownTopicOrPartition)?;
        let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changes = vec![(Key::Topic(name.to_owned()), None)];
        let offsets = store.from(Key::Offset(String::new(), String::new(), 0));
        let of_topic = offsets.filter(|(key, _)| matches!(key, Key::Offset(_, of, _) if of == name));
        changes.extend(of_topic.map(|(key, _)| (key.clone(), None)));
        store.apply_durably(changes).map_err(|_| ResponseError::KafkaStorageError)?;
        topic.partitions.iter().for_each(|partition| partition.close());
        match bury(&self.dir.join(name), &config.data_dir.join(TRASH)) {
            // Gigabytes take their time; what is not removed when the broker ends goes at the next start.
            Ok(grave) => drop(tokio::task::spawn_blocking(move || fs::remove_dir_all(grave))),
            Err(error) => tracing::warn!(%error, topic = name, "a deleted topic's files could not be removed"),
        }
        by_name.remove(name);
        Ok(())
    }

    /// Takes no more appends to any topic. When it returns, none is under way.
    pub fn close(&self) {
        for topic in self.all() {
            topic.partitions.iter().for_each(|partition| partition.close());
        }
    }

    /// The topics, held so that none comes or goes.
    pub fn names(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<Topic>>> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_topic(dir: &Path, name: &str, stored: &Stored, config: &Config) -> io::Result<Topic> {
    let settings = stored.config.log_settings(config);
    let mut partitions = Vec::new();
    for index in 0..usize::try_from(stored.partitions).unwrap_or(0) {
        let (log, cut) = Log::open(log_dir(dir, name, &stored.id, index), settings)?;
        if let Some(cut) = cut {
            let lost = cut.from - cut.to;
            tracing::warn!(topic = name, partition = index, path = %cut.path.display(), bytes = lost, "a torn tail was cut off the log");
        }
        let flushed = GroupCommit::default();
        let gone = AtomicBool::new(false);
        partitions.push(Arc::new(Partition { log: Mutex::new(log), appended: Notify::new(), flushed, gone }));
    }
    let message_bytes_max = stored.config.message_bytes_max(config);
    Ok(Topic { name: name.to_owned(), id: stored.id, config: stored.config.clone(), message_bytes_max, partitions })
}

/// Makes the names of a new topic's files and directories durable.
fn sync_names(dir: &Path, topic: &Topic) -> io::Result<()> {
    let logs = (0..topic.partitions.len()).map(|index| log_dir(dir, &topic.name, &topic.id, index));
    let of_topic = dir.join(&topic.name);
    for dir in logs.chain([of_topic.join(topic.id.to_string()), of_topic, dir.to_owned()]) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// The id is part of the path, so that a topic that is created again never finds the old one's records.
fn log_dir(dir: &Path, name: &str, id: &Uuid, index: usize) -> PathBuf {
    dir.join(name).join(id.to_string()).join(index.to_string())
}

/// Moves a directory to where things wait for their removal. Returns where it is now.
fn bury(dir: &Path, trash: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(trash)?;
    let grave = trash.join(crate::random_uuid().to_string());
    fs::rename(dir, &grave)?;
    Ok(grave)
}

/// Removes what a creation or a deletion has left that was interrupted: directories of topics that nobody knows.
fn remove_orphans(dir: &Path, known: &BTreeMap<String, Arc<Topic>>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(topic) = known.get(name) else {
            fs::remove_dir_all(&path)?;
            continue;
        };
        for entry in fs::read_dir(&path)? {
            let path = entry?.path();
            if path.file_name().and_then(|id| id.to_str()) != Some(topic.id.to_string().as_str()) {
                fs::remove_dir_all(&path)?;
            }
        }
    }
    Ok(())
}

/// Kafka's rule for the names of topics; the error says it.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name == "." || name == ".." || name.len() > NAME_BYTES_MAX || !name.chars().all(legal) {
        return Err(format!(
            "Topic name is invalid: {name:?}; up to {NAME_BYTES_MAX} ASCII letters, digits, '.', '_' and '-' are allowed"
        ));
    }
    Ok(())
}
