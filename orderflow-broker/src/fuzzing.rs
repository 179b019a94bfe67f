//! Anything as a frame, anything as a batch: the broker must answer or refuse, and never panic.
//!
//! Used by the fuzz targets in `fuzz/` and, with bounded numbers, by the tests below.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{
    Config, State,
    log::{Batch, Log, LogSettings},
    wire::{Client, dispatch},
};

/// Requests that wait for others (joins) are left waiting after this time.
const PATIENCE: Duration = Duration::from_millis(2);

/// A broker without sockets.
#[derive(Debug)]
pub struct Target {
    runtime: tokio::runtime::Runtime,
    state: State,
    dir: std::path::PathBuf,
}

impl Target {
    /// In an empty directory.
    pub fn new(dir: &std::path::Path) -> Self {
        let config = Config { partitions_max: 50, groups_max: 50, ..Config::new(dir) };
        let state = State::open(config, Arc::default()).expect("an empty directory is fine");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { runtime, state, dir: dir.to_owned() }
    }

    /// Handles the bytes as one request, without its length. Returns whether an answer came.
    pub fn frame(&self, bytes: &[u8]) -> bool {
        if bytes.len() < 8 {
            return false; // the frame reader lets no shorter one pass
        }
        self.runtime.block_on(async {
            let mut client = Client::nobody();
            let handled = dispatch(&self.state, &mut client, Bytes::copy_from_slice(bytes));
            matches!(tokio::time::timeout(PATIENCE, handled).await, Ok(Ok(Some(_))))
        })
    }

    /// Appends the bytes if they are a batch, with a right CRC or with one that is made right, reads them back, looks
    /// them up by time and opens a log that has them as its content.
    pub fn batch(&self, bytes: &[u8]) -> bool {
        let mut bytes = bytes.to_vec();
        if let Some(covered) = bytes.get(21..) {
            let crc = crc32c::crc32c(covered).to_be_bytes();
            bytes[17..21].copy_from_slice(&crc);
        }
        let dir = self.dir.join("log");
        std::fs::create_dir_all(&dir).expect("the directory is ours");
        std::fs::write(dir.join("00000000000000000000.log"), &bytes).expect("the directory is ours");
        let settings = LogSettings { segment_bytes: 1 << 20, retention_ms: 0, retention_bytes: 0 };
        let (mut log, _) = Log::open(dir.clone(), settings).expect("a tail that is not whole is cut");
        let taken = Batch::verify_produced(&bytes).is_ok_and(|batch| log.append(&bytes[..batch.size], &batch).is_ok());
        for offset in [log.start_offset(), log.end_offset() - 1, i64::MAX] {
            if let Ok(Ok(Some(chunk))) = log.read(offset, usize::MAX, true) {
                chunk.load().expect("what was found can be read");
            }
        }
        for timestamp in [i64::MIN, 0, i64::MAX] {
            log.find_time(timestamp).expect("the log can be read");
        }
        log.find_max_time().expect("the log can be read");
        log.retain(i64::MAX).expect("the log can be shortened");
        std::fs::remove_dir_all(dir).expect("the directory is ours");
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, OnceLock};

    use bytes::{BufMut, BytesMut};
    use kafka_protocol::{
        messages::*,
        protocol::{Encodable, Request, StrBytes},
    };
    use proptest::{prelude::*, sample::Index};

    use super::*;

    fn target() -> &'static Mutex<Target> {
        static TARGET: OnceLock<(Mutex<Target>, tempfile::TempDir)> = OnceLock::new();
        let make = || {
            let dir = tempfile::tempdir().unwrap();
            (Mutex::new(Target::new(dir.path())), dir)
        };
        &TARGET.get_or_init(make).0
    }

    /// Empty for a version that the codec does not know, or that lacks a field which is set.
    fn frame<R: Request>(version: i16, request: &R) -> Vec<u8> {
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_client_id(Some(StrBytes::from_static_str("fuzz")));
        let mut bytes = BytesMut::new();
        header.encode(&mut bytes, R::header_version(version)).unwrap();
        if request.encode(&mut bytes, version).is_err() {
            bytes.clear();
        }
        bytes.to_vec()
    }

    /// A request of every kind in every version, with contents where that makes a difference.
    fn seeds() -> Vec<Vec<u8>> {
        fn name(text: &'static str) -> StrBytes {
            StrBytes::from_static_str(text)
        }
        let batch = Bytes::from(crate::log::tests::batch(&[1, 2], None));
        let produce = ProduceRequest::default().with_acks(1).with_topic_data(vec![
            produce_request::TopicProduceData::default()
                .with_name(name("t").into())
                .with_partition_data(vec![produce_request::PartitionProduceData::default().with_records(Some(batch))]),
        ]);
        let create = CreateTopicsRequest::default().with_topics(vec![
            create_topics_request::CreatableTopic::default()
                .with_name(name("t").into())
                .with_num_partitions(1)
                .with_replication_factor(1),
        ]);
        let fetch = FetchRequest::default().with_topics(vec![
            fetch_request::FetchTopic::default()
                .with_topic(name("t").into())
                .with_partitions(vec![fetch_request::FetchPartition::default().with_partition_max_bytes(1000)]),
        ]);
        let list = ListOffsetsRequest::default().with_topics(vec![
            list_offsets_request::ListOffsetsTopic::default()
                .with_name(name("t").into())
                .with_partitions(vec![list_offsets_request::ListOffsetsPartition::default()]),
        ]);
        let join = JoinGroupRequest::default()
            .with_group_id(name("g").into())
            .with_session_timeout_ms(6000)
            .with_protocol_type(name("consumer"))
            .with_protocols(vec![join_group_request::JoinGroupRequestProtocol::default().with_name(name("range"))]);
        let commit = OffsetCommitRequest::default()
            .with_group_id(name("g").into())
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![
                offset_commit_request::OffsetCommitRequestTopic::default().with_name(name("t").into()).with_partitions(
                    vec![offset_commit_request::OffsetCommitRequestPartition::default().with_committed_offset(1)],
                ),
            ]);
        let mut seeds = Vec::new();
        for version in 0..=13 {
            seeds.push(frame(version, &create));
            seeds.push(frame(version, &produce));
            seeds.push(frame(version, &fetch));
            seeds.push(frame(version, &list));
            seeds.push(frame(version, &join));
            seeds.push(frame(version, &commit));
            seeds.push(frame(version, &MetadataRequest::default()));
            seeds.push(frame(version, &OffsetFetchRequest::default()));
            seeds.push(frame(version, &FindCoordinatorRequest::default()));
            seeds.push(frame(version, &HeartbeatRequest::default()));
            seeds.push(frame(version, &LeaveGroupRequest::default().with_group_id(name("g").into())));
            seeds.push(frame(version, &SyncGroupRequest::default().with_group_id(name("g").into())));
            seeds.push(frame(version, &DescribeGroupsRequest::default()));
            seeds.push(frame(version, &ListGroupsRequest::default()));
            seeds.push(frame(version, &ApiVersionsRequest::default()));
            seeds.push(frame(version, &DeleteTopicsRequest::default()));
            seeds.push(frame(version, &InitProducerIdRequest::default()));
            seeds.push(frame(version, &DescribeConfigsRequest::default()));
            seeds.push(frame(version, &DeleteGroupsRequest::default()));
            seeds.push(frame(version, &DescribeClusterRequest::default()));
        }
        seeds.retain(|seed| !seed.is_empty());
        seeds
    }

    #[test]
    fn every_request_in_every_version_is_answered() {
        let target = target().lock().unwrap();
        let mut answered = 0;
        for seed in seeds() {
            let (key, version) = (i16::from_be_bytes([seed[0], seed[1]]), i16::from_be_bytes([seed[2], seed[3]]));
            let api = crate::wire::APIS.iter().find(|(api, ..)| *api as i16 == key).unwrap();
            if (api.1..=api.2).contains(&version) && key != ApiKey::JoinGroup as i16 {
                assert!(target.frame(&seed), "{:?} version {version}", api.0);
                answered += 1;
            }
        }
        assert!(answered > 100);
    }

    /// The fuzzer begins with these and adds what it finds interesting; all of it is run here.
    /// `ORDERFLOW_WRITE_CORPUS=1` writes the seeds anew.
    #[test]
    fn the_corpus_is_complete_and_survived() {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        let frame_file = |seed: &[u8]| corpus.join(format!("frame/request-{:03}-{:02}", seed[1], seed[3]));
        let batch_seed = (corpus.join("batch/two-records"), crate::log::tests::batch(&[1, 2], Some((1, 0, 0))));
        let seeds = seeds().into_iter().map(|seed| (frame_file(&seed), seed)).chain([batch_seed]);
        for (file, seed) in seeds {
            if std::env::var_os("ORDERFLOW_WRITE_CORPUS").is_some() {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(&file, &seed).unwrap();
            }
            // Produce carries the same batch, so every seed is the same each time.
            assert_eq!(std::fs::read(&file).ok().as_ref(), Some(&seed), "{}", file.display());
        }
        let target = target().lock().unwrap();
        let files = |kind: &str| std::fs::read_dir(corpus.join(kind)).unwrap().map(|entry| entry.unwrap().path());
        for file in files("frame") {
            target.frame(&std::fs::read(file).unwrap());
        }
        for file in files("batch") {
            target.batch(&std::fs::read(file).unwrap());
        }
    }

    #[test]
    fn a_length_that_lies_costs_no_memory() {
        // Metadata version 1: an array that says it has 2^31-1 topics. The codec alone would reserve 100 GB for them.
        let mut lie = frame(1, &MetadataRequest::default());
        lie.truncate(lie.len() - 4);
        lie.put_i32(i32::MAX);
        assert!(!target().lock().unwrap().frame(&lie));
        // Metadata version 9: the same as a variable-length integer, and one that never ends.
        for varint in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0xff, 0xff, 0xff, 0xff, 0xff]] {
            let mut lie = frame(9, &MetadataRequest::default());
            lie.truncate(14 + 1);
            lie.extend_from_slice(varint);
            assert!(!target().lock().unwrap().frame(&lie));
        }
    }

    /// Two bytes on the wire, a hundred in memory: a frame of nothing but empty elements.
    #[test]
    fn a_request_has_so_many_fields_and_no_more() {
        let mut many = frame(0, &MetadataRequest::default());
        many.truncate(many.len() - 4);
        many.put_i32(150_000);
        many.extend(std::iter::repeat_n(0, 2 * 150_000));
        assert!(!target().lock().unwrap().frame(&many));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn random_frames_do_not_panic(key in 0i16..75, version in 0i16..14, rest in any::<Vec<u8>>()) {
            let mut bytes = Vec::new();
            bytes.put_i16(key);
            bytes.put_i16(version);
            bytes.put_i32(7);
            bytes.extend(rest);
            target().lock().unwrap().frame(&bytes);
        }

        #[test]
        fn damaged_requests_do_not_panic(seed: Index, at: Index, with in any::<[u8; 4]>(), cut: Index) {
            let seeds = seeds();
            let mut bytes = seed.get(&seeds).clone();
            let at = at.index(bytes.len());
            for (byte, damage) in bytes[at..].iter_mut().zip(with) {
                *byte = damage;
            }
            bytes.truncate(bytes.len() - cut.index(4));
            target().lock().unwrap().frame(&bytes);
        }

        #[test]
        fn damaged_batches_do_not_panic(at: Index, with in any::<[u8; 8]>(), times in prop::collection::vec(any::<i64>(), 1..4)) {
            let times: Vec<i64> = times.into_iter().map(|time| time >> 2).collect();
            let mut bytes = crate::log::tests::batch(&times, Some((1, 0, 0)));
            let at = at.index(bytes.len());
            for (byte, damage) in bytes[at..].iter_mut().zip(with) {
                *byte = damage;
            }
            target().lock().unwrap().batch(&bytes);
        }
    }
}
