//! Passwords and tokens: planted in every key that holds one, and looked for in everything that leaves the program.

use fs_err as fs;
use test_kit::{slack, smtp, smtp::Encryption};

use crate::{
    notify::{PASSWORD, Servers, TOKEN},
    support::World,
};

const UCON: &str = "ucondb-password-for-tests";
const URI: &str = "uri-password-for-tests";

/// Everything that the program wrote or sent, with where that was.
#[derive(Default)]
struct Seen(Vec<(String, String)>);

impl Seen {
    fn run(&mut self, world: &World, arguments: &str) {
        let output = world.env.command(arguments.split_whitespace()).output().unwrap();
        for (name, bytes) in [("stdout", output.stdout), ("stderr", output.stderr)] {
            self.0.push((format!("{name} of `{arguments}`"), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }

    fn files(&mut self, world: &World) {
        for name in ["work", "stores"] {
            let dir = world.env.join(name);
            if !dir.is_dir() {
                continue;
            }
            for path in test_kit::files_of(&dir).into_keys() {
                let path = dir.join(path);
                if path.is_file() {
                    let content = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                    self.0.push((path.display().to_string(), content));
                }
            }
        }
    }

    fn sent(&mut self, servers: &Servers) {
        let mails = servers.mail.mails().into_iter().flat_map(|mail| [mail.body(), mail.raw]);
        self.0.extend(mails.map(|text| ("a mail".to_owned(), text)));
        self.0.extend(servers.slack.posts().iter().map(|post| ("a post".to_owned(), post.body.to_string())));
        self.0.extend(servers.graphite.lines().into_iter().map(|line| ("a line".to_owned(), line)));
    }

    /// Fails if a secret is to be seen; and if nothing was looked at.
    fn check(&self) {
        let size: usize = self.0.iter().map(|(_, text)| text.len()).sum();
        assert!(size > 500, "only {size} bytes were looked at");
        for (place, text) in &self.0 {
            for secret in [PASSWORD, TOKEN, UCON, URI] {
                assert!(!text.contains(secret), "{place} shows {secret}:\n{text}");
            }
        }
    }
}

/// A world with a secret in every key, and a UconDB that nobody answers for.
fn world(servers: &Servers) -> World {
    let world = servers.world("100-103", "min_interval_minutes: 0,");
    world.configure("timeout_seconds: 5", "timeout_seconds: 1");
    let http = format!("http://127.0.0.1:1/app', writer_user: writer, writer_password: '{UCON}");
    world.configure("embedded://stores/ucondb.sqlite", &http);
    world.spoil(102);
    world
}

const MODES: [&str; 6] =
    ["", "--json -v", "--incremental", "--test-notifications", "--test-notifications --json", "--dry-run"];

#[test]
fn no_secret_is_seen_whatever_the_servers_do() {
    let echo = format!("{{\"ok\": false, \"error\": \"TOKEN\", \"mail\": \"{PASSWORD}\"}}");
    let rows = [
        (smtp::Temper::Good, slack::Temper::Good),
        (smtp::Temper::TellPassword, slack::Temper::Answer(401, echo.clone())),
        (smtp::Temper::TellPassword, slack::Temper::Answer(200, echo)),
        (
            smtp::Temper::RefuseRecipients(format!("we know {PASSWORD} and {TOKEN}, {UCON}")),
            slack::Temper::Answer(500, "TOKEN".to_owned()),
        ),
        (smtp::Temper::Silent, slack::Temper::Silent),
        (
            smtp::Temper::SilentAfterData,
            slack::Temper::Answer(200, r#"{"ok": false, "error": "invalid_auth"}"#.to_owned()),
        ),
    ];
    for (mail, slack) in rows {
        let servers = Servers::start(Encryption::StartTls);
        servers.mail.set(mail.clone());
        servers.slack.set(slack);
        let world = world(&servers);
        let mut seen = Seen::default();
        // The silent ones take their time.
        let is_silent = matches!(mail, smtp::Temper::Silent | smtp::Temper::SilentAfterData);
        let modes = if is_silent { &MODES[..1] } else { &MODES[..] };
        for arguments in modes {
            seen.run(&world, arguments);
        }
        seen.files(&world);
        seen.sent(&servers);
        seen.check();
        if mail == smtp::Temper::Good {
            assert!(!servers.mail.mails().is_empty() && !servers.slack.posts().is_empty());
        }
    }
}

#[test]
fn no_secret_is_seen_where_nobody_listens() {
    let servers = Servers::start(Encryption::None);
    let world = world(&servers);
    let mut seen = Seen::default();
    drop(servers);
    for arguments in MODES {
        seen.run(&world, arguments);
    }
    seen.files(&world);
    seen.check();
    let text = seen.0.iter().map(|(_, text)| text.as_str()).collect::<String>();
    for channel in ["mail", "Slack", "Graphite"] {
        assert!(text.contains(&format!("no notification by {channel}: ")), "{text}");
    }
}

#[test]
fn no_secret_of_an_address_or_a_wrong_value_is_seen() {
    let servers = Servers::start(Encryption::None);
    for (from, to) in [
        ("filesystemdb://stores/artdaqdb", format!("mongodb://archiver:{URI}@127.0.0.1:1/db")),
        ("filesystemdb://stores/artdaqdb", format!("mongodb://archiver:{URI}/with/slashes@127.0.0.1:1/db")),
        ("http://127.0.0.1:1/app", format!("ftp://archiver:{URI}@127.0.0.1:1/app")),
        ("http://127.0.0.1:1/app", format!("https://archiver:{URI}@127.0.0.1:1/app")),
        ("api_url: 'http://127.0.0.1", format!("api_url: 'http://archiver:{URI}@127.0.0.1")),
        ("smtp_port: ", "smtp_port: x".to_owned()),
    ] {
        let world = world(&servers);
        world.configure(from, &to);
        let mut seen = Seen::default();
        // Looking for a MongoDB takes its time.
        let modes = if to.starts_with("mongodb:") { &MODES[1..2] } else { &MODES[..] };
        for arguments in modes {
            seen.run(&world, arguments);
        }
        seen.files(&world);
        seen.check();
    }
}
