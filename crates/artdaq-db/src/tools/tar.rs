//! Tar streams of small files, as they go to and come from a remote host.
//!
//! Written: ustar, regular files only. Read: ustar with the long names of GNU and pax; directories are passed over.
//! Nothing is unpacked onto a disk, so that no name in a stream can lead anywhere. Absent: everything else; a stream
//! with links or devices is refused.

use std::collections::BTreeMap;

const BLOCK: usize = 512;

/// What a name in a header can hold.
const NAME_BYTES_MAX: usize = 100;

/// A stream with these files, each by its relative path.
pub(super) fn write(files: &BTreeMap<String, &str>) -> Vec<u8> {
    let mut stream = Vec::new();
    for (name, text) in files {
        if name.len() > NAME_BYTES_MAX {
            let mut long = name.clone().into_bytes();
            long.push(0);
            entry(&mut stream, "././@LongLink", b'L', &long);
        }
        entry(&mut stream, name, b'0', text.as_bytes());
    }
    stream.resize(stream.len() + 2 * BLOCK, 0);
    stream
}

fn entry(stream: &mut Vec<u8>, name: &str, kind: u8, bytes: &[u8]) {
    let mut header = [0_u8; BLOCK];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    put(0, &name.as_bytes()[..name.len().min(NAME_BYTES_MAX)]);
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", bytes.len()).as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum = checksum(&header);
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    stream.extend_from_slice(&header);
    stream.extend_from_slice(bytes);
    stream.resize(stream.len().next_multiple_of(BLOCK), 0);
}

/// The sum of a header's bytes, those of the sum itself taken as blanks.
fn checksum(header: &[u8]) -> u32 {
    header.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { u32::from(byte) }).sum()
}

/// The files of a stream, each by its relative path without a leading `./`.
///
/// # Errors
///
/// What is wrong with the stream; one that is cut off is an error.
pub(super) fn read(stream: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut files = BTreeMap::new();
    let mut rest = stream;
    let mut long_name: Option<String> = None;
    loop {
        let header = rest.get(..BLOCK).ok_or("the stream is cut off")?;
        if header.iter().all(|&byte| byte == 0) {
            return Ok(files);
        }
        if octal(&header[148..156])? != u64::from(checksum(header)) {
            return Err("a header of the stream is damaged".to_owned());
        }
        let size = usize::try_from(octal(&header[124..136])?).map_err(|error| error.to_string())?;
        let body = rest.get(BLOCK..).and_then(|rest| rest.get(..size)).ok_or("the stream is cut off")?;
        let next = size.checked_next_multiple_of(BLOCK).and_then(|size| rest.get(BLOCK + size..));
        match header[156] {
            b'L' => long_name = Some(text(body)?),
            b'x' => long_name = pax_path(body)?.or(long_name),
            b'g' => {}
            kind @ (b'0' | 0 | b'5') => {
                let name = long_name.take().map_or_else(|| header_name(header), Ok)?;
                let name = name.trim_start_matches("./");
                if kind != b'5' && files.insert(name.to_owned(), body.to_vec()).is_some() {
                    return Err(format!("`{}` is in the stream twice", name.escape_debug()));
                }
            }
            kind => return Err(format!("the stream holds an entry of type `{}`", char::from(kind).escape_debug())),
        }
        rest = next.ok_or("the stream is cut off")?;
    }
}

fn header_name(header: &[u8]) -> Result<String, String> {
    let (name, prefix) = (text(&header[..100])?, text(&header[345..500])?);
    // The prefix belongs to POSIX headers, which GNU's are not.
    let is_posix = &header[257..263] == b"ustar\0";
    Ok(if is_posix && !prefix.is_empty() { format!("{prefix}/{name}") } else { name })
}

fn text(bytes: &[u8]) -> Result<String, String> {
    // What stands before the first NUL byte: `split` gives at least one part.
    let name = bytes.split(|&byte| byte == 0).next().unwrap_or(bytes);
    String::from_utf8(name.to_vec()).map_err(|_| "a name in the stream is not UTF-8".to_owned())
}

fn octal(field: &[u8]) -> Result<u64, String> {
    let digits = text(field)?;
    u64::from_str_radix(digits.trim(), 8).map_err(|_| "a header of the stream is damaged".to_owned())
}

/// The `path` among the records `LENGTH KEY=VALUE\n`.
fn pax_path(mut records: &[u8]) -> Result<Option<String>, String> {
    let damaged = || "a header of the stream is damaged".to_owned();
    let mut path = None;
    while !records.is_empty() {
        let blank = records.iter().position(|&byte| byte == b' ').ok_or_else(damaged)?;
        let length: usize = text(&records[..blank])?.parse().map_err(|_| damaged())?;
        let record = records.get(blank + 1..length).ok_or_else(damaged)?;
        if let Some(value) = record.strip_prefix(b"path=") {
            path = Some(text(value.strip_suffix(b"\n").ok_or_else(damaged)?)?);
        }
        records = records.get(length..).ok_or_else(damaged)?;
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    fn bytes(files: &BTreeMap<String, &str>) -> BTreeMap<String, Vec<u8>> {
        files.iter().map(|(name, text)| (name.clone(), text.as_bytes().to_vec())).collect()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(files in prop::collection::btree_map("[a-zA-Z0-9_.-]{1,200}/?[a-z]{1,3}", ".{0,700}", 0..5)) {
            let files: BTreeMap<_, _> = files.iter().map(|(name, text)| (name.trim_start_matches("./").to_owned(), text.as_str())).collect();
            prop_assert_eq!(read(&write(&files)).unwrap(), bytes(&files));
        }

        #[test]
        fn any_bytes_are_read_or_refused(stream in prop::collection::vec(any::<u8>(), 0..1500)) {
            drop(read(&stream));
        }

        #[test]
        fn a_stream_that_is_cut_off_is_refused(text in ".{1,700}", cut in 0_usize..2000) {
            let files = BTreeMap::from([("a.fcl".to_owned(), text.as_str())]);
            let mut stream = write(&files);
            // Up to the first block of the end.
            stream.truncate(cut.min(stream.len() - 2 * BLOCK));
            prop_assert!(read(&stream).is_err());
        }
    }

    #[test]
    fn links_and_damage_are_refused() {
        let check = |change: &dyn Fn(&mut Vec<u8>), says: &str| {
            let mut stream = write(&BTreeMap::from([("a.fcl".to_owned(), "x: 1\n")]));
            change(&mut stream);
            let error = read(&stream).unwrap_err();
            assert!(error.contains(says), "{error}");
        };
        check(&|stream| stream[0] = b'b', "damaged");
        check(
            &|stream| {
                stream[156] = b'2';
                let sum = checksum(&stream[..BLOCK]);
                stream[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            },
            "type `2`",
        );
    }
}
