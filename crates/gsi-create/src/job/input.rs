//! Files that are named on the command line: read whole, but never without an end.

use std::{
    io::{self, Read as _},
    path::Path,
};

use fs_err as fs;

/// Far more than definitions and descriptions of everything that an account can have.
const BYTES_MAX: u64 = 64 << 20;

/// Reads a file, or what another program writes into a pipe.
///
/// # Errors
///
/// The system's; [`io::ErrorKind::FileTooLarge`] for more than 64 MiB.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more than may be.
    fs::File::open(path)?.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        let problem = format!("`{}` is longer than {} MiB", path.display(), BYTES_MAX >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(bytes)
}
