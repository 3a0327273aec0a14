//! What the system says of a mount: its kind, device and options.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use fs_err as fs;
use serde::Serialize;

/// Where the content of a file system lies, as far as its kind tells: that decides what a flush is worth, and who else
/// may write to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileSystem {
    /// On a disk of this host.
    Disk,
    /// In memory: gone after a reboot.
    Memory,
    /// A layer over another one of this host, as in containers.
    Layer,
    /// On a server, which other hosts reach, too.
    Network,
    /// In a program of this host, which may do anything.
    Program,
    /// A kind that is not known here.
    Other,
}

/// What the system says of a mount; whatever it does not say is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// The name of the kind: `ext4`, `nfs4`, or the number of one that has no name here.
    pub kind: String,
    /// Where its content lies.
    pub file_system: FileSystem,
    /// Where it is mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_point: Option<PathBuf>,
    /// What is mounted there: a device, or a server and a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The options, those of the mount before those of the file system.
    pub options: Vec<String>,
    /// Room for this user.
    pub free_bytes: u64,
    /// Room for more files; `None` where the file system does not count them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_files: Option<u64>,
}

impl Mount {
    /// The mount that `path` lies on.
    ///
    /// # Errors
    ///
    /// When the system says nothing of `path`.
    pub fn of(path: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(path)?;
        let found = rustix::fs::statfs(&path)?;
        let room = rustix::fs::statvfs(&path)?;
        // Elsewhere than on Linux, or in a tight sandbox, there is no such file: then there are no options.
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let magic = u32::try_from(found.f_type & 0xffff_ffff).unwrap_or_default();
        let free_files = (room.f_files > 0).then_some(room.f_favail);
        Ok(Self::new(magic, line_of(&table, &path), room.f_bavail.saturating_mul(room.f_frsize), free_files))
    }

    fn new(magic: u32, line: Option<Line>, free_bytes: u64, free_files: Option<u64>) -> Self {
        let (kind, mut file_system) = kind_of(magic).map_or_else(
            || (format!("{magic:#x}"), FileSystem::Other),
            |(kind, file_system)| (kind.to_owned(), file_system),
        );
        let Some(line) = line else {
            return Self {
                kind,
                file_system,
                mount_point: None,
                source: None,
                options: Vec::new(),
                free_bytes,
                free_files,
            };
        };
        // The table of mounts is the more precise: `nfs4`, `fuse.sshfs`.
        if file_system == FileSystem::Program && ON_A_SERVER.contains(&line.kind.as_str()) {
            file_system = FileSystem::Network;
        }
        Self {
            kind: line.kind,
            file_system,
            mount_point: Some(line.mount_point),
            source: Some(line.source),
            options: line.options,
            free_bytes,
            free_files,
        }
    }

    /// Whether the mount has this option, or one of its values: `lock` is neither `nolock` nor `local_lock`.
    pub(super) fn has(&self, option: &str) -> bool {
        self.options.iter().any(|found| found == option)
    }
}

/// As in `ext4 on /data from /dev/sda1 (rw,relatime), 27.8 GB free`.
impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, mount_point, source, options, free_bytes, .. } = self;
        f.write_str(kind)?;
        if let Some(mount_point) = mount_point {
            write!(f, " on {}", mount_point.display())?;
        }
        if let Some(source) = source {
            write!(f, " from {source}")?;
        }
        if !options.is_empty() {
            write!(f, " ({})", options.join(","))?;
        }
        write!(f, ", {} free", bytes(*free_bytes))
    }
}

/// A size for people.
pub(super) fn bytes(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit)
}

/// File systems in a program that are known to lead to a server.
const ON_A_SERVER: [&str; 8] = [
    "fuse.sshfs",
    "fuse.ceph-fuse",
    "fuse.ceph",
    "fuse.glusterfs",
    "fuse.gcsfuse",
    "fuse.s3fs",
    "fuse.rclone",
    "fuse.cvmfs2",
];

/// The numbers of `statfs(2)`.
const fn kind_of(magic: u32) -> Option<(&'static str, FileSystem)> {
    Some(match magic {
        0x0000_ef53 => ("ext4", FileSystem::Disk),
        0x5846_5342 => ("xfs", FileSystem::Disk),
        0x9123_683e => ("btrfs", FileSystem::Disk),
        0x2fc1_2fc1 => ("zfs", FileSystem::Disk),
        0xf2f5_2010 => ("f2fs", FileSystem::Disk),
        0xca45_1a4e => ("bcachefs", FileSystem::Disk),
        0x0000_4d44 => ("vfat", FileSystem::Disk),
        0x2011_bab0 => ("exfat", FileSystem::Disk),
        0x0102_1994 => ("tmpfs", FileSystem::Memory),
        0x8584_58f6 => ("ramfs", FileSystem::Memory),
        0x794c_7630 => ("overlay", FileSystem::Layer),
        0x0000_f15f => ("ecryptfs", FileSystem::Layer),
        0x0000_6969 => ("nfs", FileSystem::Network),
        0x0bd0_0bd0 => ("lustre", FileSystem::Network),
        0x4750_4653 => ("gpfs", FileSystem::Network),
        0x00c3_6400 => ("ceph", FileSystem::Network),
        0x1983_0326 => ("beegfs", FileSystem::Network),
        0x5346_414f | 0x6b41_4653 => ("afs", FileSystem::Network),
        0xff53_4d42 | 0xfe53_4d42 => ("cifs", FileSystem::Network),
        0x0102_1997 => ("9p", FileSystem::Network),
        0x0116_1970 => ("gfs2", FileSystem::Network),
        0x6573_5546 => ("fuse", FileSystem::Program),
        _ => return None,
    })
}

/// A line of `/proc/self/mountinfo`, see `proc_pid_mountinfo(5)`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    mount_point: PathBuf,
    kind: String,
    source: String,
    options: Vec<String>,
}

/// The line of the mount that `path` lies on: the longest mount point above it, and of equals the last, which hides
/// the others.
fn line_of(table: &str, path: &Path) -> Option<Line> {
    let lines = table.lines().filter_map(Line::parse).filter(|line| path.starts_with(&line.mount_point));
    lines.max_by_key(|line| line.mount_point.components().count())
}

impl Line {
    fn parse(text: &str) -> Option<Self> {
        // 36 35 98:0 /root /mount/point rw,noatime master:1 - ext4 /dev/sda1 rw,errors=continue
        let (before, after) = text.split_once(" - ")?;
        let (mut before, mut after) = (before.split(' ').skip(4), after.split(' '));
        let mount_point = PathBuf::from(unescaped(before.next()?));
        let of_mount = before.next()?;
        let (kind, source) = (after.next()?.to_owned(), unescaped(after.next()?));
        let mut options: Vec<String> = of_mount.split(',').map(str::to_owned).collect();
        for option in after.next().unwrap_or_default().split(',').filter(|option| !option.is_empty()) {
            if !options.iter().any(|known| known == option) {
                options.push(option.to_owned());
            }
        }
        Some(Self { mount_point, kind, source, options })
    }
}

/// Blanks and the like stand as `\040` in the table.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        if let Some(byte) = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            bytes.push(byte);
            bytes.extend_from_slice(&part.as_bytes()[3..]);
        } else {
            bytes.push(b'\\');
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const TABLE: &str = "\
21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw,errors=remount-ro
22 21 0:5 / /data rw,nosuid shared:1 master:2 - tmpfs tmpfs rw,size=4k
23 21 0:44 / /data rw,relatime - nfs4 server:/export\\040two rw,vers=4.2,local_lock=none
24 21 0:45 / /data/with\\040blank rw - fuse.sshfs me@host:/ rw
25 21 0:46 / /datax rw - xfs /dev/sdb rw
broken line
";

    #[test]
    fn the_mount_of_a_path_is_the_nearest_and_the_last() {
        let check = |path: &str, kind: &str, source: &str| {
            let line = line_of(TABLE, Path::new(path)).unwrap();
            assert_eq!((line.kind.as_str(), line.source.as_str()), (kind, source), "{path}");
        };
        check("/home/me", "ext4", "/dev/sda1");
        check("/data/a/b", "nfs4", "server:/export two");
        check("/data/with blank/x", "fuse.sshfs", "me@host:/");
        check("/datax", "xfs", "/dev/sdb");
        check("/datay", "ext4", "/dev/sda1");
        assert_eq!(line_of("", Path::new("/")), None);
    }

    #[test]
    fn options_stand_once_each() {
        let line = line_of(TABLE, Path::new("/data")).unwrap();
        assert_eq!(line.options, ["rw", "relatime", "vers=4.2", "local_lock=none"]);
    }

    #[test]
    fn where_the_content_lies() {
        let check = |magic: u32, path: &str, kind: &str, expect: FileSystem| {
            let mount = Mount::new(magic, line_of(TABLE, Path::new(path)), 1, None);
            assert_eq!((mount.kind.as_str(), mount.file_system), (kind, expect), "{magic:x} {path}");
        };
        check(0xef53, "/home", "ext4", FileSystem::Disk);
        check(0x6969, "/data", "nfs4", FileSystem::Network);
        check(0x6573_5546, "/data/with blank", "fuse.sshfs", FileSystem::Network);
        let unnamed = Mount::new(0x1234, None, 1, None);
        assert_eq!((unnamed.kind.as_str(), unnamed.file_system), ("0x1234", FileSystem::Other));
        let program = Mount::new(0x6573_5546, None, 1, None);
        assert_eq!(program.file_system, FileSystem::Program);
    }

    #[test]
    fn mounts_are_said_on_one_line() {
        let of = |path: &str, free| Mount::new(0xef53, line_of(TABLE, Path::new(path)), free, None).to_string();
        assert_eq!(of("/", 27_834_000_000), "ext4 on / from /dev/sda1 (rw,relatime,errors=remount-ro), 27.8 GB free");
        assert_eq!(of("/datax", 123_456), "xfs on /datax from /dev/sdb (rw), 123.4 kB free");
        assert_eq!(Mount::new(0xef53, None, 5_000_000, None).to_string(), "ext4, 5.0 MB free");
    }

    #[test]
    fn this_machine_has_mounts() {
        let mount = Mount::of(Path::new(".")).unwrap();
        assert!(!mount.kind.is_empty() && mount.free_bytes > 0, "{mount:?}");
    }

    #[test]
    fn escapes_are_undone() {
        for (text, expect) in [("a\\040b", "a b"), ("\\134x", "\\x"), ("a\\9", "a\\9"), ("plain", "plain"), ("", "")] {
            assert_eq!(unescaped(text), expect);
        }
    }
}
