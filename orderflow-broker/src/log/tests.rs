//! The log from outside its module's files: what is appended is read back, whatever happens to the files in between.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "the numbers of these tests are small"
)]

use std::fs;

use super::{batch::HEADER_BYTES, *};

/// Settings under which a log of these tests has several segments.
const SMALL: LogSettings = LogSettings { segment_bytes: 500, retention_ms: -1, retention_bytes: -1 };

/// A batch of uncompressed records with the given time stamps, as a producer would send it.
pub(crate) fn batch(times: &[i64], producer: Option<(i64, i16, i32)>) -> Vec<u8> {
    let zigzag = |value: i64| ((value << 1) ^ (value >> 63)).cast_unsigned();
    let varint = |bytes: &mut Vec<u8>, value: i64| {
        let mut rest = zigzag(value);
        while rest >= 0x80 {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
    };
    let mut records = Vec::new();
    for (delta, time) in times.iter().enumerate() {
        let mut record = vec![0];
        varint(&mut record, time - times[0]);
        varint(&mut record, delta as i64);
        varint(&mut record, -1); // no key
        varint(&mut record, 5);
        record.extend_from_slice(b"value");
        varint(&mut record, 0); // no headers
        varint(&mut records, record.len() as i64);
        records.extend(record);
    }
    let (id, epoch, sequence) = producer.unwrap_or((-1, -1, -1));
    let count = times.len() as i32;
    let mut covered = Vec::new();
    covered.extend(0i16.to_be_bytes());
    covered.extend((count - 1).to_be_bytes());
    covered.extend(times[0].to_be_bytes());
    covered.extend(times.iter().max().unwrap().to_be_bytes());
    covered.extend(id.to_be_bytes());
    covered.extend(epoch.to_be_bytes());
    covered.extend(sequence.to_be_bytes());
    covered.extend(count.to_be_bytes());
    covered.extend(records);
    let mut bytes = Vec::new();
    bytes.extend(0i64.to_be_bytes());
    bytes.extend((9 + covered.len() as i32).to_be_bytes());
    bytes.extend(7i32.to_be_bytes());
    bytes.push(2);
    bytes.extend(crc32c::crc32c(&covered).to_be_bytes());
    bytes.extend(covered);
    bytes
}

fn open(dir: &tempfile::TempDir) -> (Log, Option<Cut>) {
    Log::open(dir.path().join("log"), SMALL).unwrap()
}

fn append(log: &mut Log, bytes: &[u8]) -> Result<i64, AppendError> {
    log.append(bytes, &Batch::verify_produced(bytes).unwrap()).map(|appended| appended.first_offset)
}

/// The first offsets and the sizes of all batches from `offset` on.
fn read_all(log: &Log, mut offset: i64) -> Vec<(i64, usize)> {
    let mut found = Vec::new();
    while let Some(chunk) = log.read(offset, 1, true).unwrap().unwrap() {
        let bytes = chunk.load().unwrap();
        let batch = Batch::verify(&bytes).unwrap();
        assert_eq!(batch.size, bytes.len(), "one byte is allowed, so one batch comes");
        found.push((batch.base_offset, batch.size));
        offset = batch.next_offset();
    }
    assert_eq!(offset, log.end_offset());
    found
}

fn log_files(dir: &tempfile::TempDir) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir.path().join("log")).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "log"));
    files.sort();
    files
}

#[test]
fn offsets_have_no_gap_and_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    let mut expected = Vec::new();
    for n in 0..50 {
        let bytes = batch(&vec![n; 1 + (n as usize % 4)], None);
        let offset = append(&mut log, &bytes).unwrap();
        expected.push((offset, bytes.len()));
    }
    assert_eq!(log.end_offset(), (0..50).map(|n| 1 + n % 4).sum::<i64>());
    assert_eq!(read_all(&log, 0), expected);
    assert!(log_files(&dir).len() > 3, "the test is about several segments");
    let (log, cut) = open(&dir);
    assert_eq!((read_all(&log, 0), cut), (expected, None));
}

#[test]
fn a_read_begins_with_the_batch_that_holds_the_offset() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    append(&mut log, &batch(&[1, 2, 3], None)).unwrap();
    append(&mut log, &batch(&[4, 5], None)).unwrap();
    for (offset, base) in [(0, 0), (1, 0), (2, 0), (3, 3), (4, 3)] {
        let bytes = log.read(offset, 1, true).unwrap().unwrap().unwrap().load().unwrap();
        assert_eq!(Batch::verify(&bytes).unwrap().base_offset, base, "offset {offset}");
    }
    assert!(log.read(5, 1, true).unwrap().unwrap().is_none(), "the end: nothing yet");
    assert!(log.read(0, 1, false).unwrap().unwrap().is_none(), "no room for a batch");
    assert_eq!(log.read(6, 1, true).unwrap().unwrap_err(), OutOfRange);
    assert_eq!(log.read(-1, 1, true).unwrap().unwrap_err(), OutOfRange);
}

#[test]
fn a_read_returns_whole_batches_up_to_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    let size = batch(&[1], None).len();
    for _ in 0..4 {
        append(&mut log, &batch(&[1], None)).unwrap();
    }
    let read = |limit| log.read(0, limit, true).unwrap().unwrap().unwrap().load().unwrap().len();
    assert_eq!(read(2 * size), 2 * size);
    assert_eq!(read(3 * size - 1), 2 * size);
    assert_eq!(read(usize::MAX), 4 * size);
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_and_the_rest_serves() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    append(&mut log, &batch(&[1, 2], None)).unwrap();
    append(&mut log, &batch(&[3], None)).unwrap();
    let whole = batch(&[1, 2], None).len() + batch(&[3], None).len();
    append(&mut log, &batch(&[4, 5, 6], None)).unwrap();
    let file = &log_files(&dir)[0];
    let content = fs::read(file).unwrap();
    drop(log);
    for end in whole..content.len() {
        fs::write(file, &content[..end]).unwrap();
        let (mut log, cut) = open(&dir);
        let expected = Cut { path: file.clone(), from: end as u64, to: whole as u64 };
        assert_eq!(cut, (end > whole).then_some(expected), "torn at byte {end}");
        assert_eq!(log.end_offset(), 3);
        assert_eq!(append(&mut log, &batch(&[7], None)).unwrap(), 3, "appends go on after the cut");
        assert_eq!(read_all(&log, 0).len(), 3);
    }
}

#[test]
fn a_flipped_bit_in_the_last_batch_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    append(&mut log, &batch(&[1], None)).unwrap();
    append(&mut log, &batch(&[2], None)).unwrap();
    drop(log);
    let file = &log_files(&dir)[0];
    let content = fs::read(file).unwrap();
    for byte in content.len() / 2..content.len() {
        // The leader epoch is not covered by the CRC, and is of no meaning here.
        if (12..16).contains(&(byte - content.len() / 2)) {
            continue;
        }
        let mut damaged = content.clone();
        damaged[byte] ^= 0x10;
        fs::write(file, &damaged).unwrap();
        let (log, cut) = open(&dir);
        assert!(cut.is_some(), "byte {byte}");
        assert_eq!(log.end_offset(), 1, "byte {byte}");
    }
}

#[test]
fn damage_in_a_sealed_segment_is_an_error_and_not_a_loss() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    for n in 0..20 {
        append(&mut log, &batch(&[n], None)).unwrap();
    }
    drop(log);
    let oldest = &log_files(&dir)[0];
    fs::remove_file(oldest.with_extension("index")).unwrap();
    let mut content = fs::read(oldest).unwrap();
    content[HEADER_BYTES + 2] ^= 1;
    fs::write(oldest, content).unwrap();
    let error = Log::open(dir.path().join("log"), SMALL).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[test]
fn a_lost_or_broken_index_is_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    for n in 0..40 {
        append(&mut log, &batch(&[n * 10], Some((5, 0, n as i32)))).unwrap();
    }
    let expected = (read_all(&log, 0), log.find_time(105).unwrap(), log.producers.clone());
    let files = log_files(&dir);
    drop(log);
    fs::remove_file(files[0].with_extension("index")).unwrap();
    fs::write(files[1].with_extension("index"), b"{\"bytes\":").unwrap();
    let (log, cut) = open(&dir);
    assert_eq!((read_all(&log, 0), log.find_time(105).unwrap(), log.producers.clone()), expected);
    assert_eq!(cut, None);
    assert!(files[0].with_extension("index").exists());
}

#[test]
fn times_are_found_to_the_record() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    assert_eq!((log.find_time(0).unwrap(), log.find_max_time().unwrap()), (None, None));
    append(&mut log, &batch(&[10, 30, 20], None)).unwrap();
    append(&mut log, &batch(&[15], None)).unwrap();
    append(&mut log, &batch(&[40, 50], None)).unwrap();
    for (time, found) in [
        (0, Some((10, 0))),
        (11, Some((30, 1))),
        (30, Some((30, 1))),
        (31, Some((40, 4))),
        (50, Some((50, 5))),
        (51, None),
    ] {
        assert_eq!(log.find_time(time).unwrap(), found, "time {time}");
    }
    assert_eq!(log.find_max_time().unwrap(), Some((50, 5)));
}

#[test]
fn in_a_compressed_batch_the_first_record_stands_for_all() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    append(&mut log, &batch(&[1], None)).unwrap();
    let mut compressed = batch(&[10, 20, 30], None);
    compressed[22] |= 3; // LZ4; the log does not look at the records, so they may be anything
    let crc = crc32c::crc32c(&compressed[21..]);
    compressed[17..21].copy_from_slice(&crc.to_be_bytes());
    append(&mut log, &compressed).unwrap();
    assert_eq!(log.find_time(25).unwrap(), Some((10, 1)), "too early rather than too late");
    assert_eq!(log.find_time(31).unwrap(), None);
}

#[test]
fn times_are_found_in_a_log_of_many_index_entries() {
    let dir = tempfile::tempdir().unwrap();
    let settings = LogSettings { segment_bytes: 100_000, ..SMALL };
    let (mut log, _) = Log::open(dir.path().join("log"), settings).unwrap();
    for n in 0..5_000 {
        append(&mut log, &batch(&[n * 2], None)).unwrap();
    }
    for n in [0, 1, 777, 2_500, 4_999] {
        assert_eq!(log.find_time(n * 2 - 1).unwrap(), Some((n * 2, n)), "record {n}");
        assert_eq!(read_all(&log, n).len() as i64, 5_000 - n);
    }
}

#[test]
fn a_duplicate_is_kept_once_even_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    let sent: Vec<_> = (0..20).map(|n| batch(&[n], Some((9, 0, n as i32)))).collect();
    for (offset, bytes) in sent.iter().enumerate() {
        assert_eq!(append(&mut log, bytes).unwrap(), offset as i64);
    }
    let (mut log, _) = open(&dir);
    for (offset, bytes) in sent.iter().enumerate().skip(15) {
        assert_eq!(append(&mut log, bytes).unwrap(), offset as i64, "one of the last five");
    }
    assert!(matches!(append(&mut log, &sent[14]), Err(AppendError::Sequence(SequenceError::OutOfOrder))));
    assert_eq!(append(&mut log, &batch(&[1], Some((9, 0, 20)))).unwrap(), 20);
    assert_eq!(log.end_offset(), 21);
}

#[test]
fn retention_drops_whole_segments_by_time() {
    let dir = tempfile::tempdir().unwrap();
    let settings = LogSettings { retention_ms: 100, ..SMALL };
    let (mut log, _) = Log::open(dir.path().join("log"), settings).unwrap();
    for n in 0..40 {
        append(&mut log, &batch(&[n * 10], None)).unwrap();
    }
    let files = log_files(&dir).len();
    assert_eq!(log.retain(0).unwrap(), 0);
    let dropped = log.retain(300).unwrap();
    assert!(dropped > 0 && dropped < files, "{dropped} of {files}");
    assert_eq!(log_files(&dir).len(), files - dropped);
    let (_, first) = log.find_time(0).unwrap().unwrap();
    assert_eq!(first, log.start_offset());
    assert_eq!(read_all(&log, log.start_offset()).len() as i64, 40 - log.start_offset());
    log.retain(1_000_000).unwrap();
    assert_eq!((log.start_offset(), log.end_offset()), (40, 40), "even the newest records expire");
    let (log, _) = open(&dir);
    assert_eq!((log.start_offset(), log.end_offset()), (40, 40), "offsets go on after a restart");
}

#[test]
fn retention_drops_whole_segments_by_size() {
    let dir = tempfile::tempdir().unwrap();
    let settings = LogSettings { retention_bytes: 1_000, ..SMALL };
    let (mut log, _) = Log::open(dir.path().join("log"), settings).unwrap();
    for n in 0..60 {
        append(&mut log, &batch(&[n], None)).unwrap();
    }
    log.retain(0).unwrap();
    let kept: u64 = log_files(&dir).iter().map(|f| fs::metadata(f).unwrap().len()).sum();
    assert!((1_000..1_500).contains(&kept), "{kept} bytes are kept");
}

#[test]
fn an_empty_segment_that_a_failed_roll_has_left_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    append(&mut log, &batch(&[1], None)).unwrap();
    fs::write(dir.path().join("log/00000000000000000001.log"), b"").unwrap();
    append(&mut log, &batch(&[2], None)).unwrap();
    let (mut log, cut) = open(&dir);
    assert_eq!((log.end_offset(), read_all(&log, 0).len(), cut), (2, 2, None));
    assert_eq!(append(&mut log, &batch(&[3], None)).unwrap(), 2);
    assert_eq!(log_files(&dir).len(), 1);
}

#[test]
fn a_missing_segment_is_an_error_and_not_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    for n in 0..20 {
        append(&mut log, &batch(&[n], None)).unwrap();
    }
    drop(log);
    fs::remove_file(&log_files(&dir)[1]).unwrap();
    let error = Log::open(dir.path().join("log"), SMALL).unwrap_err();
    assert!(error.to_string().contains("begins at offset"), "{error}");
}

#[test]
fn what_a_producer_sent_after_a_refused_batch_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    let (first, second) = (batch(&[1, 2], Some((3, 0, 0))), batch(&[3], Some((3, 0, 2))));
    log.refuse(&Batch::verify_produced(&first).unwrap());
    assert!(matches!(append(&mut log, &second), Err(AppendError::Sequence(SequenceError::OutOfOrder))));
    assert_eq!(append(&mut log, &first).unwrap(), 0);
    assert_eq!(append(&mut log, &second).unwrap(), 2);
}

#[test]
fn records_without_a_time_do_not_expire() {
    let dir = tempfile::tempdir().unwrap();
    let settings = LogSettings { retention_ms: 0, ..SMALL };
    let (mut log, _) = Log::open(dir.path().join("log"), settings).unwrap();
    append(&mut log, &batch(&[-1], None)).unwrap();
    assert_eq!(log.retain(i64::MAX).unwrap(), 0);
    assert_eq!(log.start_offset(), 0);
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(&dir);
    append(&mut log, &batch(&[1], Some((3, 0, 0)))).unwrap();
    let file = log_files(&dir).remove(0);
    let writable = std::mem::replace(&mut log.segments[0].file, Arc::new(File::open(&file).unwrap()));
    let next = batch(&[2], Some((3, 0, 1)));
    assert!(matches!(append(&mut log, &next), Err(AppendError::Storage(_))));
    assert_eq!(log.end_offset(), 1);
    log.segments[0].file = writable;
    assert_eq!(append(&mut log, &next).unwrap(), 1, "the same batch is welcome later");
    let (log, cut) = open(&dir);
    assert_eq!((read_all(&log, 0).len(), cut), (2, None));
}
