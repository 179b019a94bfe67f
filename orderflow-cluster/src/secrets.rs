//! Passwords and keys, and how a file is written that only we may read.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use ring::rand::{SecureRandom, SystemRandom};

/// 128 random bits, as 32 hexadecimal digits.
pub(crate) fn random_hex() -> io::Result<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(uuid::Uuid::from_bytes(bytes).simple().to_string())
}

/// Writes a file that only its owner may read: whole or not at all.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    write_whole(path, content, 0o600)
}

/// Writes a file: whole or not at all.
pub(crate) fn write_whole(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let making = path.with_file_name(name);
    let _ = fs::remove_file(&making); // left over, perhaps with other permissions
    let mut file = File::options().create_new(true).write(true).mode(mode).open(&making)?;
    file.write_all(content)?;
    fs::rename(&making, path)
}
