//! Who is told, when, and what; and that it never matters to the work whether anybody could be told.

use std::time::{Duration, Instant};

use fs_err as fs;
use statefile::{Lock, Owner, SystemClock};
use test_kit::{
    files_of,
    lines::LineServer,
    slack::{self, FakeSlack},
    smtp::{self, Encryption, FakeSmtp, Options},
};

use crate::support::World;

pub(crate) const TOKEN: &str = "xoxb-token-for-tests";
pub(crate) const PASSWORD: &str = "mail-password-for-tests";

/// The three servers, and a runtime that drives them while the program runs.
pub(crate) struct Servers {
    pub(crate) mail: FakeSmtp,
    pub(crate) slack: FakeSlack,
    pub(crate) graphite: LineServer,
    _runtime: tokio::runtime::Runtime,
}

impl Servers {
    pub(crate) fn start(tls: Encryption) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let account = Some(("robot".to_owned(), PASSWORD.to_owned()));
        let (mail, slack, graphite) = runtime.block_on(async {
            let mail = FakeSmtp::start(Options { tls, account }).await.unwrap();
            (mail, FakeSlack::start(TOKEN).await.unwrap(), LineServer::start().await.unwrap())
        });
        Self { mail, slack, graphite, _runtime: runtime }
    }

    /// A world whose configuration names these servers; `more` goes into the section `reporting`.
    pub(crate) fn world(&self, runs: &str, more: &str) -> World {
        let world = World::new(runs);
        let tls = self.mail.authority_pem().map_or("", |pem| {
            world.env.write("conf/ca.pem", pem);
            ", ca_file: conf/ca.pem, smtp_use_tls: true"
        });
        let (mail, slack, graphite) = (self.mail.address().port(), self.slack.url(), self.graphite.address().port());
        let sections = format!(
            "reporting: {{timeout_seconds: 5, {more}
  email: {{enabled: true, recipient_email: 'Shift <shift@example.org>, boss@example.org', sender_email: daq@example.org,
    smtp_host: 127.0.0.1, smtp_port: {mail}, smtp_user: robot, smtp_password: {PASSWORD}{tls}}},
  slack: {{enabled: true, bot_token: {TOKEN}, channel: '#daq', mention_users: 'U1, U2', api_url: '{slack}'}}}}
carbon: {{enabled: true, host: 127.0.0.1, port: {graphite}, metric_prefix: daq.archiver}}
metrics: {{textfile: '${{app.work_dir}}/archiver.prom'}}
"
        );
        let config = fs::read_to_string(world.env.join("config.yaml")).unwrap();
        world.env.write("config.yaml", config + &sections);
        world
    }

    /// How many mails and posts came so far.
    fn told(&self) -> (usize, usize) {
        (self.mail.mails().len(), self.slack.posts().len())
    }
}

#[test]
fn a_failure_is_told_on_every_channel_and_success_is_not() {
    let servers = Servers::start(Encryption::None);
    let world = servers.world("100-104", "");
    world.run("", 0);
    assert_eq!(servers.told(), (0, 0), "success is quiet");

    world.add("105-120");
    for run in 106..118 {
        world.spoil(run);
    }
    let (_, stderr) = world.run("--incremental", 1);
    assert!(!stderr.contains("no notification"), "{stderr}");
    assert_eq!(servers.told(), (1, 1), "the migration had no trouble");

    let mail = &servers.mail.mails()[0];
    assert_eq!(mail.to, ["shift@example.org", "boss@example.org"]);
    assert_eq!((mail.from.as_str(), mail.user.as_deref()), ("daq@example.org", Some("robot")));
    assert!(mail.header("Subject").unwrap().contains(": 12 runs failed"), "{}", mail.raw);
    let body = mail.body();
    let config = world.env.join("config.yaml").canonicalize().unwrap();
    for words in [
        "runs:           4 archived, 12 failed, 0 not attempted",
        "failure log:    12 runs: 106-117",
        "  run 106: a FHiCL file is malformed",
        "  and 2 more",
        &format!("  run-archiver '{}' --retry-failed-import", config.display()),
    ] {
        assert!(body.contains(words), "{words}\n{body}");
    }
    assert_eq!(body.matches("  run 1").count(), 10, "{body}");

    let post = &servers.slack.posts()[0];
    assert_eq!(
        (post.path.as_str(), post.authorization.as_deref()),
        ("/api/chat.postMessage", Some(&*format!("Bearer {TOKEN}")))
    );
    let text = post.body["text"].as_str().unwrap();
    assert!(post.body["channel"] == "#daq" && text.starts_with("<@U1> <@U2> *[run-archiver] import on "), "{text}");
    assert!(text.contains("run 106"), "{text}");
}

#[test]
fn figures_go_to_graphite_and_to_the_textfile() {
    let servers = Servers::start(Encryption::None);
    let world = servers.world("100-104", "");
    world.spoil(103);
    world.run("--import-only", 1);
    let lines = servers.graphite.lines();
    let count = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!(count("daq.archiver.import.run.seconds "), 5, "{lines:#?}");
    for start in
        ["daq.archiver.import.runs.archived 4 ", "daq.archiver.import.runs.failed 1 ", "daq.archiver.import.success 0 "]
    {
        assert_eq!(count(start), 1, "{start}: {lines:#?}");
    }
    for line in &lines {
        let words: Vec<&str> = line.split(' ').collect();
        let [path, value, time] = words[..] else { panic!("{line}") };
        assert!(path.starts_with("daq.archiver.import."), "{line}");
        assert!(value.parse::<f64>().is_ok() && time.parse::<u64>().is_ok_and(|time| time > 1_700_000_000), "{line}");
    }

    world.mend(103);
    world.run("--retry-failed-import", 0);
    world.run("--migrate-only", 0);
    let text = fs::read_to_string(world.work("archiver.prom")).unwrap();
    for line in [
        "run_archiver_archived_runs_total{stage=\"import\"} 5",
        "run_archiver_failed_runs_total{stage=\"import\"} 1",
        "run_archiver_success{stage=\"import\"} 1",
        "run_archiver_archived_runs_total{stage=\"migrate\"} 5",
        "run_archiver_last_attempted_run{stage=\"migrate\"} 104",
    ] {
        assert!(text.lines().any(|seen| seen == line), "{line}\n{text}");
    }
}

#[test]
fn a_store_that_is_down_is_told_once_and_not_every_minute() {
    let servers = Servers::start(Encryption::None);
    let world = servers.world("100-104", "min_interval_minutes: 60,");
    fs::rename(world.env.join("records"), world.env.join("elsewhere")).unwrap();
    for _ in 0..4 {
        world.run("--incremental", 1);
    }
    assert_eq!(servers.told(), (1, 1));
    assert!(servers.mail.mails()[0].header("Subject").unwrap().contains("import on"));
    assert!(servers.mail.mails()[0].body().contains("could not be done"));
    // Another trouble is told at once, and says what was held back.
    fs::rename(world.env.join("elsewhere"), world.env.join("records")).unwrap();
    world.spoil(103);
    world.run("--incremental", 1);
    assert_eq!(servers.told(), (2, 2));
    let body = servers.mail.mails()[1].body();
    assert!(body.contains("\n3 messages about this stage held back since "), "{body}");

    // The memory is in the work directory; without it the same is told again.
    world.run("--retry-failed-import", 1);
    assert_eq!(servers.told(), (2, 2), "the same run failed again");
    fs::remove_file(world.work(".notifications.json")).unwrap();
    world.run("--retry-failed-import", 1);
    assert_eq!(servers.told(), (3, 3));
}

#[test]
fn whoever_wants_to_hear_of_success_does() {
    let servers = Servers::start(Encryption::None);
    let world = servers.world("100-104", "");
    world.configure("email: {", "email: {on: always, ");
    world.run("", 0);
    assert_eq!(servers.told(), (2, 0), "one a stage");
    assert!(servers.mail.mails()[1].header("Subject").unwrap().contains("migrate"), "{:?}", servers.mail.mails());
    assert!(servers.mail.mails()[0].body().contains("outcome:        done, 5 runs archived"));
}

#[test]
fn mail_is_encrypted_where_that_is_asked_for() {
    for (tls, more) in [(Encryption::StartTls, ""), (Encryption::Implicit, "smtp_tls: implicit, ")] {
        let servers = Servers::start(tls);
        let world = servers.world("100", "");
        world.configure("email: {", &format!("email: {{{more}"));
        world.spoil(100);
        world.run("--import-only", 1);
        let mails = servers.mail.mails();
        assert!(mails.len() == 1 && mails[0].is_encrypted, "{tls:?}: {mails:?}");
        assert_eq!(mails[0].user.as_deref(), Some("robot"));
        // A certificate of somebody else is not trusted, and nobody logs in.
        let logins = servers.mail.login_count();
        world.env.write("conf/ca.pem", Servers::start(tls).mail.authority_pem().unwrap());
        fs::remove_file(world.work(".notifications.json")).unwrap();
        let (_, stderr) = world.run("--retry-failed-import", 1);
        assert!(
            stderr.contains("warning: import: no notification by mail: the mail could not be handed over: "),
            "{stderr}"
        );
        assert_eq!((servers.mail.mails().len(), servers.mail.login_count()), (1, logins));
    }
}

#[test]
fn what_cannot_be_told_never_matters_to_the_work() {
    let servers = Servers::start(Encryption::None);
    let world = servers.world("100-103", "");
    world.configure("timeout_seconds: 5", "timeout_seconds: 1");
    world.spoil(102);
    servers.mail.set(smtp::Temper::Silent);
    servers.slack.set(slack::Temper::Silent);
    world.configure("textfile: '${app.work_dir}/", "textfile: '/nowhere/at/all/");
    let start = Instant::now();
    let (stdout, stderr) = world.run("", 1);
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    assert!(stdout.contains("import: 3 runs archived, 1 failed"), "{stdout}");
    for words in [
        "warning: import: no notification by mail: no end after 1 s",
        "warning: import: no notification by Slack: no end after 1 s",
        "warning: import: no notification by textfile: `/nowhere/at/all/archiver.prom` could not be used",
    ] {
        assert!(stderr.contains(words), "{words}\n{stderr}");
        assert!(world.log().contains(words.trim_start_matches("warning: ")), "{}", world.log());
    }
    assert_eq!(world.state(), "101/103 102, 101/103 none");

    // Nobody was told, so the next start tells.
    servers.mail.set(smtp::Temper::Good);
    servers.slack.set(slack::Temper::Good);
    let posts = servers.slack.posts().len();
    world.run("--retry-failed-import", 1);
    assert_eq!((servers.mail.mails().len(), servers.slack.posts().len()), (1, posts + 1));
}

#[test]
fn a_memory_that_cannot_be_read_is_kept_and_said() {
    let servers = Servers::start(Encryption::None);
    let world = servers.world("100-101", "");
    world.env.write("work/.notifications.json", "{broken");
    world.spoil(100);
    for count in 1..=2 {
        let (_, stderr) = world.run("--import-only", 1);
        assert!(stderr.contains("work/.notifications.json` is not a valid memory of notifications"), "{stderr}");
        assert_eq!(servers.told(), (count, count));
    }
    assert_eq!(fs::read_to_string(world.work(".notifications.json")).unwrap(), "{broken");
}

#[test]
fn a_stage_that_cannot_begin_is_told_of() {
    let servers = Servers::start(Encryption::None);
    let world = servers.world("100", "");
    world.env.write("work/migrator_state.json", "{broken");
    world.run("", 1);
    let mails = servers.mail.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].header("Subject").unwrap().contains("migrate on "), "{}", mails[0].raw);
    let body = mails[0].body();
    assert!(body.contains("migrator_state.json` is not a valid") && body.contains("--recover-migrate-state"), "{body}");
}

#[test]
fn a_test_message_needs_no_lock_and_changes_nothing() {
    let servers = Servers::start(Encryption::StartTls);
    let world = servers.world("100", "");
    world.run("", 0);
    let lock = Lock::acquire(world.work(".archiver.lock"), &Owner::current(&SystemClock)).unwrap();
    let before = files_of(world.env.path());
    let (stdout, _) = world.run("--test-notifications", 0);
    assert_eq!(stdout, "ok      mail\nok      Slack\nok      Graphite\nok      textfile\n");
    assert_eq!(servers.told(), (1, 1));
    assert!(servers.mail.mails()[0].body().contains("This is a test"));
    assert!(servers.graphite.lines().iter().any(|line| line.starts_with("daq.archiver.test 1 ")));

    servers.mail.set(smtp::Temper::TellPassword);
    servers.slack.set(slack::Temper::Answer(401, r#"{"ok": false, "error": "invalid_auth"}"#.to_owned()));
    let answer = world.json("--test-notifications", 1);
    let channels = answer["channels"].as_array().unwrap();
    let ok: Vec<_> = channels.iter().map(|channel| channel["ok"].as_bool().unwrap()).collect();
    assert_eq!(ok, [false, false, true, true], "{answer:#}");
    assert_eq!(channels[1]["error"], "Slack refused the message: invalid_auth");
    assert!(channels[0]["error"].as_str().unwrap().contains("user robot with password *** is unknown"), "{answer:#}");
    assert!(files_of(world.env.path()) == before, "a test changed something");
    drop(lock);

    let world = World::new("100");
    let (_, stderr) = world.run("--test-notifications", 1);
    assert!(stderr.contains("no channel of notification is switched on"), "{stderr}");
}
