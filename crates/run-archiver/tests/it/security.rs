//! What strangers put into names, records, answers and directories, and who may read what is written.

use std::{
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use fs_err as fs;
use test_kit::{
    files_of,
    hostile::{fifo, is_unsafe, without_colours},
    slack, smtp,
    smtp::Encryption,
    ucondb::Fault,
};

use crate::{notify::Servers, server::with_server, support::World};

/// Clears the screen, turns text round, hides, is markup, mentions everybody. Begins no line, since a name of a file
/// and a line of a document go through other hands before.
const EVIL: &str = "evil\u{1b}[2J\u{9b}2J\u{202e}\u{200b}\u{2028}<script>alert(1)<!channel>\u{1b}]0;title\u{7}";

/// A line of the log, or of the failure log, or of Graphite, that is none.
const FORGED: &str = "2026-01-01T00:00:00Z INFO    import: run 999: archived";

/// Puts something that is no file at a path.
type Trick = fn(&Path);

/// Everything that was said or written, with where.
#[derive(Default)]
struct Seen(Vec<(String, String)>);

impl Seen {
    /// Runs the program as on a terminal, where escape sequences are not taken out on the way.
    fn run(&mut self, world: &World, arguments: &str) {
        let mut command = world.env.command(arguments.split_whitespace());
        let output = command.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1").output().unwrap();
        for (name, bytes) in [("stdout", output.stdout), ("stderr", output.stderr)] {
            self.0.push((format!("{name} of `{arguments}`"), String::from_utf8(bytes).unwrap()));
        }
    }

    fn files(&mut self, world: &World, dir: &str) {
        for (path, record) in files_of(&world.env.join(dir)) {
            let Some(bytes) = record.bytes else { continue };
            self.0.push((path.display().to_string(), String::from_utf8(bytes).unwrap()));
        }
    }

    /// Fails where something is that a terminal would obey, or a line that is not ours.
    fn check(&self, shown_at_least: usize) {
        let shown = self.0.iter().filter(|(_, text)| text.contains("evil")).count();
        let places: Vec<_> = self.0.iter().map(|(place, text)| (place, text.len())).collect();
        assert!(shown >= shown_at_least, "only {shown} of {places:?}");
        for (place, text) in &self.0 {
            let plain = without_colours(text);
            assert!(!plain.chars().any(is_unsafe), "{place}: {}", plain.escape_debug());
            assert!(!text.lines().any(|line| line.starts_with(FORGED)), "{place}: {text}");
            // Behind a time and a level of ours.
            let forged = |line: &str| line.get(29..).is_some_and(|said| said.starts_with(&FORGED[29..]));
            assert!(!text.lines().any(forged), "{place}: {text}");
            assert!(place != "page.html" || !text.contains("<script>alert"), "{place}");
        }
    }
}

const MODES: [&str; 9] = [
    "--import-only",
    "--import-only -v",
    "--retry-failed-import --json",
    "--report-status --html page.html",
    "--report-status --json",
    "--compare-state",
    "--dry-run -v",
    "--explain 101",
    "--explain 101 --json",
];

#[test]
fn names_and_records_are_harmless_wherever_they_are_shown() {
    let servers = Servers::start(Encryption::None);
    let world = servers.world("100-104", "min_interval_minutes: 0,");
    // In the name of a document, with line breaks; in the quoted line of one; in the configuration's name.
    let name = format!("{EVIL}\n{FORGED}\r\n{FORGED}").replace('/', "");
    world.write(101, &format!("{name}.fcl"), "table: { open: 1\n");
    world.write(102, "board1.fcl", &format!("table: {{ {EVIL} {EVIL}: ]\n"));
    world.write(103, "metadata.txt", &format!("Config name: {EVIL}/../../x\nComponent #0: {EVIL}\n"));
    let mut seen = Seen::default();
    for arguments in MODES {
        seen.run(&world, arguments);
    }
    seen.files(&world, "work");
    seen.0.push(("page.html".to_owned(), fs::read_to_string(world.env.join("page.html")).unwrap()));
    let mails = servers.mail.mails();
    assert!(!mails.is_empty() && !servers.slack.posts().is_empty());
    seen.0.extend(mails.iter().map(|mail| ("a mail".to_owned(), mail.body().replace('\r', ""))));
    for mail in &mails {
        let (head, _) = mail.raw.split_once("\r\n\r\n").unwrap();
        let names: Vec<_> = head.lines().filter(|line| !line.starts_with([' ', '\t'])).collect();
        assert!(names.iter().all(|line| line.contains(": ")) && names.len() < 15, "{head}");
    }
    for post in servers.slack.posts() {
        let text = post.body["text"].as_str().unwrap().to_owned();
        assert!(!text.contains("<!"), "{text}");
        seen.0.push(("a post".to_owned(), text));
    }
    for line in servers.graphite.lines() {
        let words: Vec<_> = line.split(' ').collect();
        assert!(words.len() == 3 && words[0].starts_with("daq.archiver."), "{line}");
    }
    seen.check(8);
    for line in fs::read_to_string(world.work("import_failures.log")).unwrap().lines() {
        assert!(line.parse::<run_state::RunSet>().is_ok(), "{line}");
    }
}

#[test]
fn answers_of_a_server_are_harmless_wherever_they_are_shown() {
    with_server("100-102", "secret", |world, server| {
        world.run("--import-only", 0);
        let mut seen = Seen::default();
        let text = format!("{EVIL}\n{FORGED}\r\n{FORGED}");
        for (method, path) in [("POST", "/data"), ("GET", "/")] {
            server.fail_always(method, path, Fault::Status(400, text.clone()));
            for arguments in
                ["--migrate-only", "--migrate-only --json", "--report-status --html page.html", "--dry-run"]
            {
                seen.run(world, arguments);
            }
        }
        seen.files(world, "work");
        seen.0.push(("page.html".to_owned(), fs::read_to_string(world.env.join("page.html")).unwrap()));
        seen.check(5);
    });
}

#[test]
fn answers_of_mail_servers_and_of_slack_are_harmless() {
    let servers = Servers::start(Encryption::None);
    servers.mail.set(smtp::Temper::RefuseRecipients(EVIL.to_owned()));
    servers
        .slack
        .set(slack::Temper::Answer(200, format!("{{\"ok\": false, \"error\": \"{}\"}}", EVIL.escape_default())));
    let world = servers.world("100-101", "min_interval_minutes: 0,");
    world.spoil(101);
    let mut seen = Seen::default();
    for arguments in ["", "--json", "--test-notifications", "--test-notifications --json"] {
        seen.run(&world, arguments);
    }
    seen.files(&world, "work");
    seen.check(1);
}

#[test]
fn files_are_as_private_as_the_umask_says() {
    for (umask, file, dir) in [("077", 0o600, 0o700), ("027", 0o640, 0o750), ("000", 0o666, 0o777)] {
        let world = World::new("100-104");
        world.spoil(102);
        let start = |arguments: &str, code: i32| {
            let mut command = world.env.other_command("/bin/sh");
            command.arg("-c").arg(format!("umask {umask}; exec \"$0\" \"$@\"")).arg(world.env.program());
            let output = command.args(arguments.split_whitespace()).output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        };
        start("", 1);
        start("--acknowledge 102 --reason off", 0);
        start("--recover-import-state", 0);
        start("--report-status --html work/page.html", 3);
        let mut count = 0;
        for place in ["work", "stores"] {
            for path in files_of(&world.env.join(place)).into_keys() {
                let path = world.env.join(place).join(path);
                let metadata = fs::metadata(&path).unwrap();
                let (mode, expect) =
                    (metadata.permissions().mode() & 0o777, if metadata.is_dir() { dir } else { file });
                // SQLite makes nothing more open than 0644.
                let is_right = mode == expect || path.to_string_lossy().contains("sqlite") && mode == expect & 0o644;
                assert!(is_right, "umask {umask}: {}: {mode:o}", path.display());
                count += 1;
            }
        }
        assert!(count > 20, "{count}");
    }
}

#[test]
fn a_private_state_stays_private_when_it_is_set_aside() {
    let world = World::new("100-102");
    world.spoil(101);
    world.run("--import-only", 1);
    let own = ["importer_state.json", "import_failures.log"];
    for name in own {
        fs::set_permissions(world.work(name), PermissionsExt::from_mode(0o600)).unwrap();
    }
    world.mend(101);
    world.run("--recover-import-state", 0);
    let names = files_of(&world.env.join("work")).into_keys();
    let is_copy = |name: &str| name.is_empty() || name == ".bak" || name.starts_with(".before-");
    let is_own = |name: &str| own.iter().any(|own| name.strip_prefix(own).is_some_and(is_copy));
    let names: Vec<_> = names.filter(|name| is_own(&name.to_string_lossy())).collect();
    assert!(names.iter().any(|name| name.to_string_lossy().contains(".before-")), "{names:?}");
    for name in names {
        let mode = fs::metadata(world.env.join("work").join(&name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", name.display());
    }
}

#[test]
fn what_is_no_file_in_the_work_directory_is_refused_and_never_waited_for() {
    let tricks: [(&str, Trick); 4] = [
        ("a FIFO", fifo),
        ("a directory", |path| fs::create_dir(path).unwrap()),
        ("a device", |path| symlink("/dev/zero", path).unwrap()),
        ("a loop", |path| symlink(path.file_name().unwrap(), path).unwrap()),
    ];
    let made = World::new("100-103");
    made.spoil(102);
    made.run("", 1);
    let names: Vec<_> =
        files_of(&made.env.join("work")).into_iter().filter(|(_, record)| record.bytes.is_some()).collect();
    assert!(names.len() >= 10, "{names:?}");
    for (trick, make) in tricks {
        for (name, _) in &names {
            let env = made.env.copy();
            let path = env.join("work").join(name);
            fs::remove_file(&path).unwrap();
            make(&path);
            for arguments in ["--incremental", "--report-status"] {
                // The command is killed, and the test fails, after a minute.
                let output = env.command(arguments.split_whitespace()).output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                let code = output.status.code();
                assert!(code.is_some(), "{trick} as {}: it does not end\n{said}", name.display());
                assert!(!said.contains("panicked"), "{trick} as {}: {said}", name.display());
            }
        }
    }
}

#[test]
fn a_lock_that_is_a_link_costs_its_target_nothing() {
    let world = World::new("100");
    world.env.write("precious", "precious");
    fs::create_dir_all(world.env.join("work")).unwrap();
    symlink("../precious", world.work(".archiver.lock")).unwrap();
    let (_, stderr) = world.run("", 1);
    assert!(stderr.contains("is a symbolic link, which a lock file must not be"), "{stderr}");
    assert_eq!(fs::read_to_string(world.env.join("precious")).unwrap(), "precious");
}

#[test]
fn what_is_no_file_in_a_run_directory_is_never_waited_for() {
    for name in ["metadata.txt", "board1.fcl", "boot.txt"] {
        for settle in ["settle_seconds: 0", "settle_seconds: 1"] {
            let world = World::new("100-101");
            world.configure("settle_seconds: 0", settle);
            let path = world.env.join("records/101").join(name);
            fs::remove_file(&path).unwrap();
            fifo(&path);
            let output = world.env.command(["--import-only"]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.code().is_some_and(|code| code < 2), "{name}: {said}");
        }
    }
}

/// A server that answers every request with `answer`, and keeps what it was sent.
fn trap(answer: String) -> (std::net::SocketAddr, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut buffer) = (stream.unwrap(), [0; 8192]);
            let length = stream.read(&mut buffer).unwrap_or(0);
            drop(sender.send(String::from_utf8_lossy(&buffer[..length]).into_owned()));
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    (address, asked)
}

#[test]
fn a_redirection_takes_no_token_elsewhere() {
    for code in [301, 302, 307, 308] {
        let (other, asked_elsewhere) = trap("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned());
        let location = format!("http://{other}/api/chat.postMessage");
        let answer = format!("HTTP/1.1 {code} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let (slack, asked) = trap(answer);
        let servers = Servers::start(Encryption::None);
        let world = servers.world("100", "");
        world.configure(&servers.slack.url(), &format!("http://{slack}/api"));
        let (stdout, stderr) = world.run("--test-notifications", 1);
        assert!(stdout.contains(&format!("HTTP status {code}")), "{stdout}{stderr}");
        assert!(asked.recv().unwrap().contains(crate::notify::TOKEN), "it was asked");
        assert!(asked_elsewhere.try_recv().is_err(), "the other server was asked");
    }
}

#[test]
fn a_mail_server_that_hides_its_encryption_gets_no_password() {
    // As somebody in between does who takes `STARTTLS` out of the greeting.
    let servers = Servers::start(Encryption::None);
    let world = servers.world("100", "");
    world.configure("smtp_user: robot", "smtp_use_tls: true, smtp_user: robot");
    let (stdout, _) = world.run("--test-notifications", 1);
    assert!(stdout.contains("mail: the mail could not be handed over"), "{stdout}");
    assert_eq!((servers.mail.login_count(), servers.mail.mails().len()), (0, 0));
}

#[test]
fn a_bomb_in_a_file_is_refused() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
    let marks = "{\"last_contiguous_run\": 100, \"last_attempted_run\": ";
    for (file, text) in [
        ("config.yaml", format!("app: {}\n", deep("[", "]"))),
        ("config.yaml", format!("app: {}\n", deep("{a: ", "}"))),
        ("config.yaml", format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(10_000))),
        ("config.yaml", "app: {work_dir: work}\napp: {work_dir: other}\n".to_owned()),
        ("conf/schema.fcl", format!("run_history: {}\n", deep("[", "]"))),
        ("records/101/board1.fcl", format!("a: {}\n", deep("[", "]"))),
        ("records/101/board1.fcl", format!("a: {}\n", deep("{a: ", "}"))),
        ("records/101/board1.fcl", format!("a: {}\n", "9".repeat(1_000_000))),
        ("work/importer_state.json", deep("[", "]")),
        ("work/importer_state.json", format!("{marks}1e999}}")),
        ("work/importer_state.json", format!("{marks}{}}}", "9".repeat(100_000))),
        ("work/importer_state.json", format!("{marks}100, \"last_attempted_run\": 5}}")),
        ("work/import_failures.log", "1-18446744073709551615\n".to_owned()),
    ] {
        let world = World::new("100-102");
        world.env.write(file, &text);
        for arguments in ["--import-only", "--report-status"] {
            // Killed, and the test fails, after a minute.
            let output = world.env.command([arguments]).output().unwrap();
            let (code, said) = (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned());
            let head: String = text.chars().take(60).collect();
            assert!(code.is_some_and(|code| code < 64), "{file}: {head}: {:?}: {said}", output.status);
            assert!(!said.contains("panicked") && said.len() < 20_000, "{file}: {head}: {said}");
            // A number of a million digits is a text to FHiCL.
            let is_harmless = arguments == "--report-status" || file.starts_with("records") && text.contains("999");
            assert!(code == Some(1) || is_harmless, "{file}: {head}: {code:?}: {said}");
        }
        assert_eq!(fs::read_to_string(world.env.join(file)).unwrap(), text, "{file}: kept");
    }
}

#[test]
fn a_name_leads_nowhere_out_of_the_stores() {
    let world = World::new("100-101");
    world.write(101, "metadata.txt", "Config name: ../../../../escaped\nComponent #0: a\n");
    world.write(101, "..\\..\\x.fcl", "a: 1\n");
    world.write(101, "...fcl", "a: 1\n");
    let before: Vec<_> = files_of(world.env.path()).into_keys().collect();
    drop(world.env.command(["--incremental"]).output().unwrap());
    drop(world.env.command(["--report-status", "--html", "page.html"]).output().unwrap());
    let own = |path: &Path| ["work", "stores", "page.html"].iter().any(|own| path.starts_with(own));
    let after: Vec<_> = files_of(world.env.path()).into_keys().filter(|path| !own(path)).collect();
    assert_eq!(after, before);
}
