//! Deliveries: each to one server, each bounded in time by the caller.

use std::{fmt::Write as _, io, path::PathBuf, time::SystemTime};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message as Mail, Tokio1Executor,
    message::header::{ContentType, HeaderName, HeaderValue},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
        extension::ClientId,
    },
};
use secrecy::ExposeSecret as _;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::message::Message;
use run_config::{Carbon, Email, Slack, SmtpTls};

/// Letters of a message on Slack, which cuts texts itself at 40,000 and advises against more than 4,000.
const SLACK_LETTERS_MAX: usize = 3_800;

/// An answer of Slack has some hundred bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Why something was not delivered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    /// It took too long.
    #[error("no end after {seconds} s")]
    Timeout {
        /// The limit.
        seconds: u64,
    },
    /// The mail server, or the way to it.
    #[error("the mail could not be handed over")]
    Smtp(#[source] lettre::transport::smtp::Error),
    /// The mail itself.
    #[error("the mail could not be written")]
    Mail(#[source] lettre::error::Error),
    /// The way to Slack.
    #[error("Slack was not reached")]
    Http(#[source] reqwest::Error),
    /// Slack answers with an HTTP status that is none of its own answers.
    #[error("Slack answered with HTTP status {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// Slack says no: `invalid_auth`, `channel_not_found`, `ratelimited`…
    #[error("Slack refused the message: {code}")]
    Refused {
        /// Its word for the reason.
        code: String,
    },
    /// The way to Graphite.
    #[error("the connection failed")]
    Tcp(#[source] io::Error),
    /// A file: certificate authorities, the textfile.
    #[error("`{path}` could not be used")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Sends a mail from `host` to all recipients.
pub(crate) async fn mail(email: &Email, message: &Message, host: &str, now: SystemTime) -> Result<(), DeliveryError> {
    let mut mail = Mail::builder()
        .date(now)
        .message_id(Some(message_id(host, now)))
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .from(email.sender.clone())
        .subject(&message.subject);
    for recipient in &email.recipients {
        mail = mail.to(recipient.clone());
    }
    let mail = mail.header(ContentType::TEXT_PLAIN).body(message.body.clone()).map_err(DeliveryError::Mail)?;
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(email.host.as_str())
        .port(email.port)
        .tls(tls(email)?)
        .hello_name(ClientId::Domain(hello_name(host)))
        .timeout(None);
    if let Some((user, password)) = &email.login {
        transport = transport.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
    }
    transport.build().send(mail).await.map(drop).map_err(DeliveryError::Smtp)
}

/// A name that no other mail has.
fn message_id(host: &str, now: SystemTime) -> String {
    let time = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("<run-archiver.{time}.{}@{}>", std::process::id(), hello_name(host))
}

/// The host's name as a mail server accepts it.
fn hello_name(host: &str) -> String {
    let name: String = host.chars().filter(|letter| letter.is_ascii_alphanumeric() || "-.".contains(*letter)).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

fn tls(email: &Email) -> Result<Tls, DeliveryError> {
    if email.tls == SmtpTls::None {
        return Ok(Tls::None);
    }
    let mut parameters = TlsParameters::builder(email.host.clone());
    if let Some(path) = &email.ca_file {
        let pem = fs_err::read(path).map_err(|source| DeliveryError::File { path: path.clone(), source })?;
        let authorities = Certificate::from_pem(&pem).map_err(DeliveryError::Smtp)?;
        parameters = parameters.certificate_store(CertificateStore::None).add_root_certificate(authorities);
    }
    let parameters = parameters.build().map_err(DeliveryError::Smtp)?;
    Ok(if email.tls == SmtpTls::Implicit { Tls::Wrapper(parameters) } else { Tls::Required(parameters) })
}

/// Posts to a channel; users are mentioned when something went wrong.
pub(crate) async fn slack(slack: &Slack, message: &Message) -> Result<(), DeliveryError> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    // An address in an error could one day hold a token; these never tell it.
    let http = |error: reqwest::Error| DeliveryError::Http(error.without_url());
    let body =
        serde_json::json!({ "channel": slack.channel, "text": slack_text(slack, message), "unfurl_links": false });
    let mut answer = client
        .map_err(http)?
        .post(format!("{}/chat.postMessage", slack.api_url))
        .bearer_auth(slack.token.expose_secret())
        .header("Content-Type", "application/json; charset=utf-8")
        .body(body.to_string())
        .send()
        .await
        .map_err(http)?;
    let status = answer.status();
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(http)? {
        bytes.extend_from_slice(&part);
        if bytes.len() > ANSWER_BYTES_MAX {
            break;
        }
    }
    judge_answer(status.as_u16(), &bytes)
}

/// Slack says `{"ok": true, …}` or `{"ok": false, "error": "invalid_auth"}`, as a rule with status 200.
fn judge_answer(status: u16, bytes: &[u8]) -> Result<(), DeliveryError> {
    let answer: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    let code = answer["error"].as_str().filter(|code| {
        code.len() < 64 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    });
    match (status, answer["ok"].as_bool(), code) {
        (200, Some(true), _) => Ok(()),
        (_, Some(false), Some(code)) => Err(DeliveryError::Refused { code: code.to_owned() }),
        (200, ..) => Err(DeliveryError::Refused { code: "for no reason that it gives".to_owned() }),
        (status, ..) => Err(DeliveryError::Status { status }),
    }
}

/// The message in Slack's mark-up. What stands in it cannot mention anybody.
fn slack_text(slack: &Slack, message: &Message) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    for id in slack.mentions.iter().filter(|_| message.is_trouble) {
        let _ = write!(text, "<@{id}> ");
    }
    let body = match message.body.char_indices().nth(SLACK_LETTERS_MAX) {
        Some((end, _)) => format!("{}\n…\n", &message.body[..end]),
        None => message.body.clone(),
    };
    // Three accents would end the block.
    let body = escape(&body).replace("```", "'''");
    let _ = write!(text, "*{}*\n```\n{body}```", escape(&message.subject));
    text
}

/// Sends lines to Graphite.
pub(crate) async fn graphite(carbon: &Carbon, lines: &str) -> Result<(), DeliveryError> {
    let mut stream = TcpStream::connect((carbon.host.as_str(), carbon.port)).await.map_err(DeliveryError::Tcp)?;
    stream.write_all(lines.as_bytes()).await.map_err(DeliveryError::Tcp)?;
    stream.shutdown().await.map_err(DeliveryError::Tcp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use run_config::SendOn;

    #[test]
    fn answers_of_slack_are_understood() {
        for (status, answer, expect) in [
            (200, r#"{"ok": true, "ts": "1.2"}"#, None),
            (200, r#"{"ok": false, "error": "invalid_auth"}"#, Some("Slack refused the message: invalid_auth")),
            (401, r#"{"ok": false, "error": "invalid_auth"}"#, Some("Slack refused the message: invalid_auth")),
            (429, r#"{"ok": false, "error": "ratelimited"}"#, Some("Slack refused the message: ratelimited")),
            (
                200,
                r#"{"ok": false, "error": "No, xoxb-12 is wrong"}"#,
                Some("Slack refused the message: for no reason that it gives"),
            ),
            (200, "<html>", Some("Slack refused the message: for no reason that it gives")),
            (502, "<html>", Some("Slack answered with HTTP status 502")),
            (500, r#"{"ok": true}"#, Some("Slack answered with HTTP status 500")),
        ] {
            let seen = judge_answer(status, answer.as_bytes()).err().map(|error| error.to_string());
            assert_eq!(seen.as_deref(), expect, "{status} {answer}");
        }
    }

    #[test]
    fn nobody_is_mentioned_by_what_stands_in_a_reason() {
        let slack = Slack {
            on: SendOn::Failure,
            token: "t".into(),
            channel: "#daq".to_owned(),
            mentions: vec!["U1".to_owned(), "U2".to_owned()],
            api_url: String::new(),
        };
        let message =
            |is_trouble, body: &str| Message { subject: "a & b".to_owned(), body: body.to_owned(), is_trouble };
        let text = slack_text(&slack, &message(true, "<!channel> ```x\n"));
        assert_eq!(text, "<@U1> <@U2> *a &amp; b*\n```\n&lt;!channel&gt; '''x\n```");
        assert!(!slack_text(&slack, &message(false, "x\n")).contains('@'));
        let long = slack_text(&slack, &message(true, &"ä".repeat(50_000)));
        assert!(long.chars().count() < 4_000 && long.ends_with("…\n```"));
    }

    #[test]
    fn a_host_introduces_itself_with_a_name_that_servers_take() {
        for (host, expect) in [("daq01.example.org", "daq01.example.org"), ("ä b\r\nQUIT", "bQUIT"), ("", "localhost")]
        {
            assert_eq!(hello_name(host), expect);
        }
    }
}
