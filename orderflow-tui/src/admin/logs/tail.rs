//! The end of a log file, and what comes after it.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

/// Most that is read at once, in bytes.
const CHUNK_BYTES_MAX: u64 = 256 << 10;

/// How far a file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    inode: u64,
    offset: u64,
}

/// What was read of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// From where on it was read.
    pub from: Option<At>,
    /// How far it is read now.
    pub at: At,
    /// Whole lines.
    pub lines: Vec<String>,
    /// What comes before these lines was not read: they are the end of the file, or there was too much at once.
    pub begins_anew: bool,
}

/// Reads on, or the end of it; from its beginning if it is another file than before, or was cut.
pub fn read(path: &Path, from: Option<At>) -> io::Result<Tail> {
    let mut file = File::open(path)?;
    let found = file.metadata()?;
    let (inode, length) = (found.ino(), found.len());
    let known = from.filter(|at| at.inode == inode && at.offset <= length);
    let wanted = known.map_or(0, |at| at.offset);
    let start = wanted.max(length.saturating_sub(CHUNK_BYTES_MAX));
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(CHUNK_BYTES_MAX).read_to_end(&mut bytes)?;
    // A line that has not ended yet comes with the next reading, unless it is longer than that.
    let whole = match bytes.iter().rposition(|byte| *byte == b'\n') {
        Some(last) => last + 1,
        None if u64::try_from(bytes.len()).is_ok_and(|read| read == CHUNK_BYTES_MAX) => bytes.len(),
        None => 0,
    };
    let text = String::from_utf8_lossy(&bytes[..whole]);
    // What we have jumped into the middle of is not a line.
    let is_cut = start > wanted;
    let lines = text.lines().skip(usize::from(is_cut)).map(str::to_owned).collect();
    let offset = start + u64::try_from(whole).unwrap_or(0);
    Ok(Tail { from, at: At { inode, offset }, lines, begins_anew: known.is_none() || is_cut })
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use super::*;

    #[test]
    fn it_reads_on_line_by_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orders.log");
        assert!(read(&path, None).is_err());
        fs::write(&path, "one\ntwo\nthr").unwrap();
        let first = read(&path, None).unwrap();
        assert_eq!(
            (first.lines.as_slice(), first.begins_anew),
            (["one".to_owned(), "two".to_owned()].as_slice(), true)
        );
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"ee\nfour\n").unwrap();
        let next = read(&path, Some(first.at)).unwrap();
        assert_eq!((next.lines.join(","), next.begins_anew), ("three,four".to_owned(), false));
        assert!(read(&path, Some(next.at)).unwrap().lines.is_empty());
    }

    #[test]
    fn a_file_that_was_put_aside_or_cut_is_read_from_its_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orders.log");
        fs::write(&path, "one\ntwo\n").unwrap();
        let at = read(&path, None).unwrap().at;
        fs::write(&path, "new\n").unwrap();
        let cut = read(&path, Some(at)).unwrap();
        assert_eq!((cut.lines, cut.begins_anew), (vec!["new".to_owned()], true));
    }

    #[test]
    fn of_much_only_the_end_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orders.log");
        let many: String = (0..100_000).map(|number| format!("line {number}\n")).collect();
        fs::write(&path, many).unwrap();
        let tail = read(&path, None).unwrap();
        assert!(tail.lines.len() < 30_000 && tail.lines[0].starts_with("line "), "{}", tail.lines.len());
        assert_eq!(tail.lines.last().map(String::as_str), Some("line 99999"));
        fs::write(&path, "x".repeat(300 << 10)).unwrap();
        assert_eq!(read(&path, None).unwrap().lines.len(), 0, "one line without an end, jumped into");
    }
}
