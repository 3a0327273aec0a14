//! Who is told what came of a stage: the sections `reporting`, `carbon` and `metrics`.
//!
//! A channel that is switched off is still checked, but then only with warnings: what is not used keeps no run
//! from being archived.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use lettre::{Message, message::Mailbox};
use secrecy::{ExposeSecret as _, SecretString};

use super::{reader::Reader, secrets::secrets};

/// The channels of notification, and how often they are used.
#[derive(Debug)]
pub struct Reporting {
    /// Mail, if it is wanted.
    pub email: Option<Email>,
    /// Slack, if it is wanted.
    pub slack: Option<Slack>,
    /// Graphite, if it is wanted.
    pub carbon: Option<Carbon>,
    /// The file that Prometheus' node exporter reads.
    pub textfile: Option<PathBuf>,
    /// For so long nobody is told the same again; zero: always told.
    pub min_interval: Duration,
    /// What one delivery may take.
    pub timeout: Duration,
    /// Every password and token of this configuration, to keep them out of what is sent and logged.
    pub secrets: Vec<SecretString>,
}

impl Reporting {
    /// Whether anybody is to be told.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.email.is_some() || self.slack.is_some() || self.carbon.is_some() || self.textfile.is_some()
    }
}

/// When a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendOn {
    /// When something went wrong.
    Failure,
    /// After every execution.
    Always,
}

/// Mail.
#[derive(Debug)]
pub struct Email {
    /// When it is sent.
    pub on: SendOn,
    /// Who it is from.
    pub sender: Mailbox,
    /// At least one.
    pub recipients: Vec<Mailbox>,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub tls: SmtpTls,
    /// User and password, where it wants them.
    pub login: Option<(String, SecretString)>,
    /// The authorities that are trusted, if not those of the system.
    pub ca_file: Option<PathBuf>,
}

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// In clear.
    None,
    /// In clear until both agree on TLS, which is insisted on.
    StartTls,
    /// TLS from the first byte.
    Implicit,
}

/// Slack.
#[derive(Debug)]
pub struct Slack {
    /// When it is sent.
    pub on: SendOn,
    /// What the server knows us by.
    pub token: SecretString,
    /// Where it is written.
    pub channel: String,
    /// Ids of users who are called when something went wrong.
    pub mentions: Vec<String>,
    /// The address of the server, without a slash at its end.
    pub api_url: String,
}

/// Graphite.
#[derive(Debug)]
pub struct Carbon {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What every name of a figure begins with.
    pub prefix: String,
}

const WHEN: [(&str, SendOn); 2] = [("failure", SendOn::Failure), ("always", SendOn::Always)];

pub(super) fn reporting(reader: &mut Reader<'_>) -> Reporting {
    Reporting {
        email: channel(reader, "reporting.email", email),
        slack: channel(reader, "reporting.slack", slack),
        carbon: channel(reader, "carbon", carbon),
        textfile: reader.optional("metrics.textfile").map(PathBuf::from),
        min_interval: Duration::from_mins(reader.whole("reporting.min_interval_minutes", 0..=10_080).into()),
        timeout: Duration::from_secs(reader.whole("reporting.timeout_seconds", 1..=60).into()),
        secrets: secrets(reader),
    }
}

/// Reads a section that can be switched off: then there is nothing, and its errors are warnings.
fn channel<T>(
    reader: &mut Reader<'_>,
    section: &str,
    read: fn(&mut Reader<'_>, &mut Fields) -> Option<T>,
) -> Option<T> {
    let errors_before = reader.errors.len();
    let is_enabled = reader.switch(&format!("{section}.enabled"));
    let found = read(reader, &mut Fields { is_enabled });
    if is_enabled {
        return found;
    }
    let errors = reader.errors.split_off(errors_before);
    reader.warnings.extend(errors);
    None
}

/// Reads what a section must have where it is switched on.
struct Fields {
    is_enabled: bool,
}

impl Fields {
    fn required(&self, reader: &mut Reader<'_>, key: &str) -> Option<String> {
        let text = reader.optional(key);
        if text.is_none() && self.is_enabled {
            reader.error(key, "required where this section is enabled");
        }
        text
    }
}

fn email(reader: &mut Reader<'_>, fields: &mut Fields) -> Option<Email> {
    let recipients = fields.required(reader, "reporting.email.recipient_email");
    let sender = fields.required(reader, "reporting.email.sender_email");
    let host = fields.required(reader, "reporting.email.smtp_host");
    let port = reader.whole("reporting.email.smtp_port", 1..=65_535);
    let tls = smtp_tls(reader, port);
    let on = reader.one_of("reporting.email.on", &WHEN);
    let user = reader.optional("reporting.email.smtp_user");
    let password = reader.optional("reporting.email.smtp_password").map(SecretString::from);
    let ca_file = reader.optional("reporting.email.ca_file").map(PathBuf::from);
    if user.is_some() != password.is_some() && fields.is_enabled {
        reader.error("reporting.email.smtp_user", "goes together with `smtp_password`: give both or neither");
    }
    if password.is_some() && tls == Some(SmtpTls::None) && fields.is_enabled {
        reader.warn("reporting.email.smtp_password", "the password is sent without encryption; see `smtp_use_tls`");
    }
    let recipients = recipients.map(|text| mailboxes(reader, "reporting.email.recipient_email", &text));
    let sender = sender.and_then(|text| mailboxes(reader, "reporting.email.sender_email", &text).pop());
    Some(Email {
        on: on?,
        sender: sender?,
        recipients: recipients?,
        host: host?,
        port: u16::try_from(port).ok()?,
        tls: tls?,
        login: user.zip(password),
        ca_file,
    })
}

/// `smtp_tls` where it is given; else what port and `smtp_use_tls` mean.
fn smtp_tls(reader: &mut Reader<'_>, port: u32) -> Option<SmtpTls> {
    let wants_tls = reader.switch("reporting.email.smtp_use_tls");
    let words = [("none", SmtpTls::None), ("starttls", SmtpTls::StartTls), ("implicit", SmtpTls::Implicit)];
    if reader.optional("reporting.email.smtp_tls").is_some() {
        return reader.one_of("reporting.email.smtp_tls", &words);
    }
    Some(match (port, wants_tls) {
        (465, _) => SmtpTls::Implicit,
        (_, true) => SmtpTls::StartTls,
        (_, false) => SmtpTls::None,
    })
}

/// The addresses of a comma separated list; each that is none is an error.
fn mailboxes(reader: &mut Reader<'_>, key: &str, text: &str) -> Vec<Mailbox> {
    let mut found = Vec::new();
    for part in words(text) {
        match part.parse::<Mailbox>() {
            // The address must also fit into a message: what is found out here is not found out at night.
            Ok(mailbox) if is_usable(&mailbox) => found.push(mailbox),
            _ => reader.error(key, format!("`{part}` is not a mail address")),
        }
    }
    if words(text).next().is_none() {
        reader.error(key, "holds no mail address");
    }
    found
}

fn is_usable(mailbox: &Mailbox) -> bool {
    let message = Message::builder().date(SystemTime::UNIX_EPOCH).from(mailbox.clone()).to(mailbox.clone());
    message.body(String::new()).is_ok()
}

fn slack(reader: &mut Reader<'_>, fields: &mut Fields) -> Option<Slack> {
    let token = fields.required(reader, "reporting.slack.bot_token").map(SecretString::from);
    let channel = fields.required(reader, "reporting.slack.channel");
    let on = reader.one_of("reporting.slack.on", &WHEN);
    let mut mentions = Vec::new();
    for id in words(&reader.optional("reporting.slack.mention_users").unwrap_or_default()) {
        if id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            mentions.push(id.to_owned());
        } else {
            let text = format!("`{id}` is not the id of a user, which looks like U012AB3CD");
            reader.error("reporting.slack.mention_users", text);
        }
    }
    if token.as_ref().is_some_and(|token| !token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic())) {
        reader.error("reporting.slack.bot_token", "holds characters that no token has");
    }
    let api_url = reader.text("reporting.slack.api_url");
    let api_url = api_url.trim_end_matches('/').to_owned();
    if !(api_url.starts_with("https://") || api_url.starts_with("http://127.0.0.1:")) {
        let text = "must begin with https:// (http://127.0.0.1:… in tests), or anybody could read the token";
        reader.error("reporting.slack.api_url", text);
    }
    Some(Slack { on: on?, token: token?, channel: channel?, mentions, api_url })
}

fn carbon(reader: &mut Reader<'_>, fields: &mut Fields) -> Option<Carbon> {
    let host = fields.required(reader, "carbon.host");
    let port = reader.whole("carbon.port", 1..=65_535);
    let prefix = fields.required(reader, "carbon.metric_prefix");
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if prefix.as_ref().is_some_and(|prefix| !prefix.bytes().all(is_letter)) {
        reader.error("carbon.metric_prefix", "may hold letters, digits, `_`, `-` and dots");
    }
    let prefix = prefix.map(|prefix| prefix.trim_matches('.').to_owned());
    Some(Carbon { host: host?, port: u16::try_from(port).ok()?, prefix: prefix? })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}
