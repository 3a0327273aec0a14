//! Stand-ins for the genuine tools and for ssh: scripts in a directory for PATH that note their calls and start this
//! test binary again, which behaves as observed of `artdaq_database` 1.10.
//!
//! A file `fault` beside them makes the next call of a tool go wrong, once:
//!
//! | fault | what happens |
//! |---|---|
//! | `bulkloader dies N` | after N files it ends with 144, an uncaught exception |
//! | `bulkloader loses N` | the N-th file is stored and not in the index (a race), exit 0 |
//! | `bulkloader refuses N` | the N-th file fails, the others are stored, exit 1 |
//! | `bulkloader divides 0` | killed by SIGFPE |
//! | `TOOL hangs 0` | it does not end |
//! | `bulkdownloader writes 0` | writes nothing, says that it did, exit 0 |
//! | `ssh refuses 0` | ends with 255 |

use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use fs_err as fs;
use run_record::{fhicl::Document, json::Json};
use serde_json::{Value, json};

/// Tells the process which tool it is, its arguments and its sandbox.
const TOOL: &str = "STAND_IN_TOOL";
const ARGUMENTS: &str = "STAND_IN_ARGUMENTS";
const SANDBOX: &str = "STAND_IN_SANDBOX";

/// A directory with the stand-ins, and one with what they do.
pub(super) struct Sandbox {
    pub(super) directory: tempfile::TempDir,
}

impl Sandbox {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sandbox = Self { directory };
        for name in ["bin", "host", "remote", "temp"] {
            fs::create_dir(sandbox.path(name)).unwrap();
        }
        let here = sandbox.path("").display().to_string();
        let binary = std::env::current_exe().unwrap();
        for tool in ["bulkloader", "bulkdownloader"] {
            let script = format!(
                "#!/bin/sh\necho \"{tool} $* <$(readlink /proc/self/fd/0) in $(pwd)\" >>'{here}/calls'\n\
                 export {TOOL}={tool} {ARGUMENTS}=\"$*\" {SANDBOX}='{here}'\n\
                 exec '{}' --exact tools::stand_in::process --ignored --nocapture\n",
                binary.display()
            );
            // The remote host has them, too; the local one only in `bin`.
            sandbox.program(&format!("bin/{tool}"), &script);
            sandbox.program(&format!("host/{tool}"), &script);
        }
        sandbox.program("host/mktemp", &format!("#!/bin/sh\nexec /usr/bin/mktemp -d '{here}/remote/XXXXXXXX'\n"));
        let ssh = format!(
            "#!/bin/sh\nfor word in \"$@\"; do echo \"ssh: $word\" >>'{here}/calls'; last=$word; done\n\
             if [ \"$(cat '{here}/fault' 2>/dev/null)\" = 'ssh refuses 0' ]; then rm '{here}/fault'; \
             echo 'Host key verification failed.' >&2; exit 255; fi\n\
             exec env -i PATH='{here}/host:/usr/bin:/bin' sh -c \"$last\"\n"
        );
        sandbox.program("bin/ssh", &ssh);
        sandbox
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn program(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o700)).unwrap();
    }

    /// The next call goes wrong.
    pub(super) fn fault(&self, fault: &str) {
        fs::write(self.path("fault"), fault).unwrap();
    }

    /// What was called since the last question, one line a call (of ssh: a word).
    pub(super) fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        drop(fs::remove_file(self.path("calls")));
        calls.lines().map(str::to_owned).collect()
    }

    /// That nothing was left lying about.
    pub(super) fn assert_tidy(&self) {
        for name in ["temp", "remote"] {
            assert_eq!(fs::read_dir(self.path(name)).unwrap().count(), 0, "{name}");
        }
    }
}

/// Not a test by itself: a tool.
#[test]
#[ignore = "started by the scripts that the tests of the tools put into their PATH"]
#[expect(clippy::disallowed_methods, reason = "how a tool is told what to do, and how it ends")]
fn process() {
    let Ok(tool) = std::env::var(TOOL) else { return };
    let arguments = std::env::var(ARGUMENTS).unwrap();
    let sandbox = PathBuf::from(std::env::var(SANDBOX).unwrap());
    let uri = std::env::var("ARTDAQ_DATABASE_URI").unwrap_or_default();
    let Some(root) = uri.strip_prefix("filesystemdb://").map(PathBuf::from) else { std::process::exit(144) };
    let words: Vec<&str> = arguments.split(' ').collect();
    let options: BTreeMap<&str, &str> = words.chunks(2).filter_map(|pair| Some((pair[0], *pair.get(1)?))).collect();
    let fault = fault(&sandbox, &tool);
    let code = match tool.as_str() {
        "bulkloader" => load(&root, &options, fault.as_ref()),
        _ => download(&root, &options, fault),
    };
    std::process::exit(code);
}

/// The fault of this call, which is used up.
fn fault(sandbox: &Path, tool: &str) -> Option<(String, usize)> {
    let path = sandbox.join("fault");
    let text = fs::read_to_string(&path).ok()?;
    let words: Vec<_> = text.split(' ').map(str::to_owned).collect();
    if words[0] != tool {
        return None;
    }
    fs::remove_file(path).unwrap();
    if words[1] == "hangs" {
        // Until it is killed.
        loop {
            std::thread::park();
        }
    }
    Some((words[1].clone(), words[2].parse().unwrap()))
}

fn crash() -> i32 {
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::FPE).unwrap();
    136
}

#[expect(clippy::print_stdout, reason = "so does the genuine tool")]
fn load(root: &Path, options: &BTreeMap<&str, &str>, fault: Option<&(String, usize)>) -> i32 {
    for (option, code) in [("-p", 129), ("-c", 130), ("-r", 131)] {
        if !options.contains_key(option) {
            return code;
        }
    }
    let directory = Path::new(options["-p"]);
    if !directory.is_dir() {
        return 144;
    }
    let mut files: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_str().unwrap().contains(".fcl"));
    files.sort();
    let is_fault = |kind: &str, number: usize| fault.is_some_and(|(k, n)| k == kind && *n == number);
    if files.is_empty() || options["-t"] == "0" || is_fault("divides", 0) {
        return crash();
    }
    let mut failures = 0;
    for (number, path) in files.iter().enumerate() {
        if is_fault("dies", number) {
            println!("terminate called\n std::exception::what:\n  SearchIndex is corrupt");
            return 144;
        }
        let parsed = Document::parse_reporting("file", &fs::read_to_string(path).unwrap());
        match parsed {
            Ok(parsed) if parsed.extensions.is_empty() && !is_fault("refuses", number) => {
                // Without a lock the threads overwrite each other's index.
                let is_lost = is_fault("loses", number) || options["-t"] != "1" && number % 2 == 1;
                store(root, path, &parsed.document, options, is_lost);
            }
            _ => {
                println!("std::exception::what: parse error in {}", path.display());
                failures += 1;
            }
        }
    }
    println!("Loaded {} files with {} threads in 7 msecs.", files.len(), options["-t"]);
    i32::from(failures > 0)
}

fn store(root: &Path, path: &Path, document: &Document, options: &BTreeMap<&str, &str>, is_lost: bool) {
    let (run, configuration) = (options["-r"], format!("{}/{}", options["-r"], options["-c"]));
    let is_schema = path.to_str().unwrap().contains("schema.fcl");
    let entity = if is_schema { "schema" } else { path.file_stem().unwrap().to_str().unwrap() };
    let collection = root.join(if is_schema { "SystemLayout" } else { "RunHistory" });
    fs::create_dir_all(&collection).unwrap();
    let random = fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap().replace('-', "");
    let oid = &random[..24];
    let time = "2026-11-21T00:37:50.675+0000";
    let named = |name: &str| json!([{"name": name, "assigned": time}]);
    let value = |part: Json| serde_json::to_value(part).unwrap();
    let stored = json!({
        "document": {"data": value(document.to_data()), "metadata": value(document.to_metadata()), "search": []},
        "comments": value(document.to_comments()),
        "origin": {"format": "fhicl", "name": entity, "source": "fhicl_to_json", "timestamp": time, "created": time, "rawdata": []},
        "version": configuration, "entities": named(entity), "configurations": named(&configuration),
        "changelog": "notprovided",
        "bookkeeping": {"isdeleted": false, "isreadonly": false, "updates": [], "created": time},
        "_id": {"$oid": oid}, "collection": collection.file_name().unwrap().to_str().unwrap(),
        "aliases": {"active": [], "history": []}, "runs": named(run), "attachments": [], "configtype": "notprovided",
    });
    fs::write(collection.join(format!("{oid}.json")), stored.to_string()).unwrap();
    if !is_lost {
        let mut index = index(&collection);
        index["ouid"] = sorted(index["ouid"].take(), oid);
        let keys = [
            ("version", configuration.as_str(), oid),
            ("configurations.name", &configuration, oid),
            ("entities.name", entity, oid),
            ("runs.name", run, oid),
            ("configurations.assigned", &configuration, time),
        ];
        for (member, key, entry) in keys {
            index[member][key] = sorted(index[member][key].take(), entry);
        }
        fs::write(collection.join("index.json"), index.to_string()).unwrap();
    }
}

fn sorted(list: Value, entry: &str) -> Value {
    let mut entries: std::collections::BTreeSet<String> = serde_json::from_value(list).unwrap_or_default();
    entries.insert(entry.to_owned());
    json!(entries)
}

fn index(collection: &Path) -> Value {
    let empty = r#"{"ouid":[], "version":{},"configurations.name":{}, "entities.name":{},"aliases.active.name":{}, "runs.name":{},"configurations.assigned":{} }"#;
    let text = fs::read_to_string(collection.join("index.json")).unwrap_or_else(|_| empty.to_owned());
    serde_json::from_str(&text).unwrap()
}

#[expect(clippy::print_stdout, reason = "so does the genuine tool")]
fn download(root: &Path, options: &BTreeMap<&str, &str>, fault: Option<(String, usize)>) -> i32 {
    let configuration = format!("{}/{}", options["-r"], options["-c"]);
    // By collection and entity: the greatest version as a text, and of equal ones the smallest id.
    let mut newest: BTreeMap<(String, String), (String, Document)> = BTreeMap::new();
    let mut collections: Vec<PathBuf> =
        fs::read_dir(root).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default();
    collections.retain(|path| path.is_dir() && !path.ends_with("SystemMetadata"));
    for collection in collections {
        for oid in index(&collection)["configurations.name"][&configuration].as_array().into_iter().flatten() {
            let path = collection.join(format!("{}.json", oid.as_str().unwrap()));
            let stored: Json = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            let parts = stored.get("document").unwrap();
            let part = |name| parts.get(name).unwrap();
            let document = Document::from_stored(part("data"), part("metadata"), stored.get("comments").unwrap());
            let entity = stored.get("origin").unwrap().get("name").unwrap().as_str().unwrap().to_owned();
            let version = stored.get("version").unwrap().as_str().unwrap().to_owned();
            let key = (collection.file_name().unwrap().to_str().unwrap().to_owned(), entity);
            if newest.get(&key).is_none_or(|(there, _)| version > *there) {
                newest.insert(key, (version, document.unwrap()));
            }
        }
    }
    if newest.is_empty() {
        println!("std::exception::what:\n No search filters were found for {configuration}");
        return 1;
    }
    println!("Downloaded {} files with {} threads in 7 msecs.", newest.len(), options["-t"]);
    if fault.is_some_and(|(kind, _)| kind == "writes") {
        return 0;
    }
    let prefix = options["-c"].trim_end_matches(|c: char| c.is_ascii_digit());
    for ((collection, entity), (_, document)) in newest {
        let directory = Path::new(options["-p"]).join(if collection == "SystemLayout" { "" } else { prefix });
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(format!("{entity}.fcl")), document.to_text()).unwrap();
    }
    0
}
