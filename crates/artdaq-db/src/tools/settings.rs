//! What the tools are told, and the checks of it: everything that a shell could misread is refused at the start.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::{Access, access};

use super::{
    ToolError,
    exchange::{Place, Tools},
    names::is_plain,
};
use crate::DatabaseUri;

/// Where the tools are, and what they work on.
#[derive(Clone)]
pub struct ToolSettings {
    /// The archive.
    pub uri: DatabaseUri,
    /// `bulkloader`: its name in PATH, or a path; `None` for `bulkloader`.
    pub loader: Option<String>,
    /// `bulkdownloader`: its name in PATH, or a path; `None` for `bulkdownloader`.
    pub downloader: Option<String>,
    /// The host that has the tools, `HOST` or `USER@HOST`: they are run there by ssh. Then the paths are those of
    /// that host. `None`: this one.
    pub remote_host: Option<String>,
    /// The environment of this process, of which the tools get what they need (see [`PASSED`]).
    pub environment: BTreeMap<String, String>,
    /// Where directories for the exchange of files are made; for this host only.
    pub temp_dir: PathBuf,
    /// Where the locks lie of an archive that is no directory.
    pub lock_dir: PathBuf,
    /// So long a tool may take.
    pub time_max: Duration,
}

/// Without the environment, which may hold secrets.
impl fmt::Debug for ToolSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ToolSettings");
        debug.field("uri", &self.uri).field("loader", &self.loader).field("downloader", &self.downloader);
        debug.field("remote_host", &self.remote_host).field("temp_dir", &self.temp_dir);
        debug.field("lock_dir", &self.lock_dir).field("time_max", &self.time_max).finish_non_exhaustive()
    }
}

/// What a tool needs of the environment, wherever it runs. The address of the archive comes to it, by
/// `ARTDAQ_DATABASE_URI`: it may hold a password, which has no place among the arguments.
pub const PASSED: [&str; 5] = [
    "LD_LIBRARY_PATH",
    "ARTDAQ_DATABASE_DATADIR",
    "ARTDAQ_DATABASE_CONFDIR",
    "ARTDAQ_DATABASE_CLIENT_CERT",
    "ARTDAQ_DATABASE_CA_CERT",
];

/// What a program on this host gets besides; the last two are for ssh.
const PASSED_HERE: [&str; 8] = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "SSH_AUTH_SOCK", "KRB5CCNAME"];

/// The variable by which the tools are told the archive.
const URI: &str = "ARTDAQ_DATABASE_URI";

/// Options of ssh: it asks nothing, allocates no terminal, and trusts no host that it does not know.
const SSH_OPTIONS: [&str; 9] = [
    "-T",
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=20",
    "-o",
    "ServerAliveInterval=30",
    "-o",
    "ClearAllForwardings=yes",
];

impl ToolSettings {
    /// Looks the programs up, and checks what they are to be given.
    pub(super) fn resolve(&self) -> Result<Tools, ToolError> {
        let uri = self.address()?;
        let passed = |names: &[&str]| -> BTreeMap<String, String> {
            let found = names.iter().filter_map(|&name| Some((name.to_owned(), self.environment.get(name)?.clone())));
            found.filter(|(_, value)| !value.is_empty()).collect()
        };
        let mut environment = passed(&PASSED_HERE);
        let mut values = passed(&PASSED);
        values.insert(URI.to_owned(), uri);
        let place = match &self.remote_host {
            None => {
                check_temp_dir(&self.temp_dir)?;
                environment.append(&mut values);
                Place::Here {
                    loader: self.find("bulkloader", self.loader.as_deref())?,
                    downloader: self.find("bulkdownloader", self.downloader.as_deref())?,
                }
            }
            Some(host) => {
                check_host(host)?;
                if let Some((name, _)) = values.iter().find(|(_, value)| value.contains(['\n', '\0'])) {
                    return Err(setting("the variable", name, "its value has a line break"));
                }
                let mut arguments: Vec<_> = SSH_OPTIONS.map(str::to_owned).to_vec();
                arguments.extend(["--".to_owned(), host.clone()]);
                Place::There {
                    ssh: self.find("ssh", None)?,
                    arguments,
                    loader: remote("bulkloader", self.loader.as_deref())?,
                    downloader: remote("bulkdownloader", self.downloader.as_deref())?,
                    values: values.into_iter().collect(),
                }
            }
        };
        Ok(Tools {
            place,
            uri: self.uri.clone(),
            environment,
            temp_dir: self.temp_dir.clone(),
            time_max: self.time_max,
        })
    }

    /// The address as the tools read it.
    fn address(&self) -> Result<String, ToolError> {
        match &self.uri {
            DatabaseUri::Filesystem(uri) => {
                let path = uri.to_string();
                let refuse = |problem| Err(setting("the database URI", &path, problem));
                if path.contains(['*', '?', '[', ']']) {
                    return refuse("the genuine tools take `*?[]` for patterns");
                }
                if uri.path().is_relative() {
                    return refuse("the tools work in another directory, so its path must be absolute");
                }
                Ok(path)
            }
            DatabaseUri::Mongo(uri) => {
                let has_certificate = ["ARTDAQ_DATABASE_CLIENT_CERT", "ARTDAQ_DATABASE_CA_CERT"]
                    .iter()
                    .any(|name| self.environment.get(*name).is_some_and(|value| !value.is_empty()));
                if has_certificate && !uri.expose().contains('?') {
                    let problem =
                        "the genuine tools append the certificates with `&`, so it needs a `?` with an option";
                    return Err(setting("the database URI", &uri.to_string(), problem));
                }
                Ok(uri.expose().to_owned())
            }
        }
    }

    fn find(&self, program: &'static str, given: Option<&str>) -> Result<PathBuf, ToolError> {
        let name = given.unwrap_or(program);
        if name.contains('/') {
            let path = PathBuf::from(name);
            return match is_program(&path) {
                Ok(()) => Ok(path),
                Err(source) => Err(ToolError::NotExecutable { program, path, source }),
            };
        }
        let path = self.environment.get("PATH").map_or("", String::as_str);
        let places = std::env::split_paths(path).filter(|directory| directory.is_absolute());
        let found = places.map(|directory| directory.join(name)).find(|path| is_program(path).is_ok());
        found.ok_or_else(|| ToolError::Missing { program: name.to_owned(), path: path.to_owned() })
    }
}

fn is_program(path: &Path) -> std::io::Result<()> {
    if !fs_err::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    Ok(access(path, Access::EXEC_OK)?)
}

fn setting(what: &'static str, value: &str, problem: &'static str) -> ToolError {
    ToolError::Setting { what, value: value.to_owned(), problem }
}

/// The tools hand the directory to a shell, and look for `.fcl` and `schema.fcl` in whole paths.
fn check_temp_dir(path: &Path) -> Result<(), ToolError> {
    let text = path.to_string_lossy();
    let refuse = |problem| Err(setting("the directory for temporary files", &text, problem));
    if path.is_relative() {
        return refuse("it is relative");
    }
    if !is_plain(&text) {
        return refuse("a shell, through which the tools make directories, would misread it");
    }
    if text.contains(".fcl") {
        return refuse("the tools look for `.fcl` in whole paths");
    }
    Ok(())
}

fn check_host(host: &str) -> Result<(), ToolError> {
    let is_part = |text: &str| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
        !text.is_empty() && !text.starts_with('-') && text.chars().all(is_letter)
    };
    let (user, name) = host.split_once('@').map_or((None, host), |(user, name)| (Some(user), name));
    if !is_part(name) || user.is_some_and(|user| !is_part(user)) {
        return Err(setting("the remote host", host, "expected `HOST` or `USER@HOST`, neither beginning with `-`"));
    }
    Ok(())
}

/// The tool as the remote host knows it.
fn remote(program: &'static str, given: Option<&str>) -> Result<String, ToolError> {
    let name = given.unwrap_or(program);
    if is_plain(name) && !name.contains('=') {
        return Ok(name.to_owned());
    }
    Err(setting("the path of the remote program", name, "a shell would misread it"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn settings(uri: &str, remote_host: Option<&str>) -> ToolSettings {
        ToolSettings {
            uri: DatabaseUri::parse(uri, |_| None).unwrap(),
            loader: Some("/bin/sh".to_owned()),
            downloader: Some("/bin/sh".to_owned()),
            remote_host: remote_host.map(str::to_owned),
            environment: BTreeMap::from([("PATH".to_owned(), "/nowhere:/usr/nowhere".to_owned())]),
            temp_dir: "/tmp".into(),
            lock_dir: "/tmp".into(),
            time_max: Duration::from_mins(5),
        }
    }

    fn refused(settings: &ToolSettings) -> String {
        settings.resolve().err().map_or_else(|| "accepted".to_owned(), |error| error.to_string())
    }

    #[test]
    fn hosts_that_are_options_or_commands_are_refused() {
        for host in ["-oProxyCommand=id", "", "a b", "a;b", "$(id)", "u@-h", "-u@h", "@h", "u@", "h\n", "a'b", "u@h@i"]
        {
            let told = refused(&settings("filesystemdb:///a", Some(host)));
            assert!(told.contains("remote host") && told.contains("USER@HOST"), "{host}: {told}");
        }
        for host in ["daq01", "daq@daq01.example.org", "10.0.0.1", "fe80::1"] {
            // The next thing that is looked at: there is no ssh in that PATH.
            assert_eq!(
                refused(&settings("filesystemdb:///a", Some(host))),
                "`ssh` is in no directory of PATH (`/nowhere:/usr/nowhere`)"
            );
        }
    }

    #[test]
    fn what_the_tools_would_misread_is_refused() {
        let check = |change: &dyn Fn(&mut ToolSettings), says: &str| {
            let mut settings = settings("filesystemdb:///a", None);
            change(&mut settings);
            let told = refused(&settings);
            assert!(told.contains(says), "{told}");
        };
        check(&|_| {}, "accepted");
        check(&|s| s.temp_dir = "/tmp/a b".into(), "misread");
        check(&|s| s.temp_dir = "tmp".into(), "relative");
        check(&|s| s.temp_dir = "/tmp/my.fcl_dir".into(), "`.fcl`");
        check(&|s| s.uri = DatabaseUri::parse("filesystemdb://a", |_| None).unwrap(), "absolute");
        check(&|s| s.uri = DatabaseUri::parse("filesystemdb:///a*", |_| None).unwrap(), "patterns");
        check(&|s| s.loader = None, "`bulkloader` is in no directory of PATH (`/nowhere:/usr/nowhere`)");
        check(&|s| s.downloader = Some("/nowhere/x".to_owned()), "`/nowhere/x` cannot be executed as `bulkdownloader`");
        check(&|s| s.downloader = Some("/etc/passwd".to_owned()), "cannot be executed");
        check(&|s| s.downloader = Some("/tmp".to_owned()), "cannot be executed");
        let certificate = ("ARTDAQ_DATABASE_CA_CERT".to_owned(), "/ca".to_owned());
        let mongo = |s: &mut ToolSettings, uri| {
            s.uri = DatabaseUri::parse(uri, |_| None).unwrap();
            s.environment.extend([certificate.clone()]);
        };
        check(&|s| mongo(s, "mongodb://u:s3cret@h/db"), "`mongodb://h/db` cannot be used: the genuine tools append");
        check(&|s| mongo(s, "mongodb://u:s3cret@h/db?appName=x"), "accepted");
    }
}
