//! Conversations with clients.

use std::{io, sync::Arc};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::JoinSet,
};

use super::{Encryption, Mail, Options, Shared, Temper, decode::decode_base64};
use crate::ucondb::lock;

/// Serves connections until the task is aborted.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // An error here is a client that went away, or does not trust the certificate.
        connections.spawn(async move {
            if *lock(&shared.temper) == Temper::Silent {
                std::future::pending::<()>().await;
            }
            let acceptor = shared.identity.as_ref().map(|identity| identity.acceptor.clone());
            match (shared.options.tls, acceptor) {
                (Encryption::Implicit, Some(acceptor)) => {
                    let stream = acceptor.accept(stream).await?;
                    talk(&mut BufReader::new(stream), &shared, true, true).await.map(drop)
                }
                (_, acceptor) => {
                    let mut stream = BufReader::new(stream);
                    if talk(&mut stream, &shared, false, true).await? == After::StartTls
                        && let Some(acceptor) = acceptor
                    {
                        let stream = acceptor.accept(stream.into_inner()).await?;
                        talk(&mut BufReader::new(stream), &shared, true, false).await?;
                    }
                    Ok::<_, io::Error>(())
                }
            }
        });
    }
}

/// What comes after a conversation.
#[derive(PartialEq, Eq)]
enum After {
    End,
    StartTls,
}

/// Speaks with one client until it leaves, or wants to encrypt.
async fn talk(
    stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    shared: &Shared,
    is_encrypted: bool,
    greets: bool,
) -> io::Result<After> {
    let mut client = Client { is_encrypted, ..Client::default() };
    if greets {
        say(stream, "220 fake ESMTP").await?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(After::End);
        }
        let line = line.trim_end();
        let answer = client.answer(line, shared);
        say(stream, &answer).await?;
        match line.to_ascii_uppercase().as_str() {
            "STARTTLS" => return Ok(After::StartTls),
            "QUIT" => return Ok(After::End),
            "DATA" if answer.starts_with("354") => {
                client.mail.raw = read_data(stream).await?;
                if *lock(&shared.temper) == Temper::SilentAfterData {
                    std::future::pending::<()>().await;
                }
                lock(&shared.mails).push(client.take());
                say(stream, "250 taken").await?;
            }
            _ => {}
        }
    }
}

#[derive(Default)]
struct Client {
    is_encrypted: bool,
    user: Option<String>,
    mail: Envelope,
}

#[derive(Default)]
struct Envelope {
    from: String,
    to: Vec<String>,
    raw: String,
}

impl Client {
    fn answer(&mut self, line: &str, shared: &Shared) -> String {
        let Options { tls, account } = &shared.options;
        let wants_tls = *tls == Encryption::StartTls && !self.is_encrypted;
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word.to_ascii_uppercase().as_str() {
            "EHLO" if wants_tls => "250-fake\r\n250-8BITMIME\r\n250 STARTTLS".to_owned(),
            "EHLO" => "250-fake\r\n250-8BITMIME\r\n250 AUTH PLAIN".to_owned(),
            "STARTTLS" if wants_tls => "220 go ahead".to_owned(),
            "NOOP" | "RSET" => "250 fine".to_owned(),
            "QUIT" => "221 bye".to_owned(),
            _ if wants_tls => "530 must issue a STARTTLS command first".to_owned(),
            "AUTH" => self.log_in(rest, shared),
            "MAIL" if account.is_some() && self.user.is_none() => "530 authentication required".to_owned(),
            "MAIL" => {
                self.mail = Envelope { from: address(rest), ..Envelope::default() };
                "250 fine".to_owned()
            }
            "RCPT" => {
                if let Temper::RefuseRecipients(words) = &*lock(&shared.temper) {
                    return format!("550 {words}");
                }
                self.mail.to.push(address(rest));
                "250 fine".to_owned()
            }
            "DATA" => "354 go on".to_owned(),
            _ => "500 what?".to_owned(),
        }
    }

    fn log_in(&mut self, rest: &str, shared: &Shared) -> String {
        *lock(&shared.logins) += 1;
        let Some(given) = rest.strip_prefix("PLAIN ") else { return "504 only PLAIN".to_owned() };
        let given = String::from_utf8_lossy(&decode_base64(given)).into_owned();
        let mut parts = given.split('\0').skip(1);
        let (user, password) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if *lock(&shared.temper) == Temper::TellPassword {
            return format!("535 5.7.8 user {user} with password {password} is unknown");
        }
        if shared
            .options
            .account
            .as_ref()
            .is_some_and(|(known, secret)| (known.as_str(), secret.as_str()) == (user, password))
        {
            self.user = Some(user.to_owned());
            return "235 welcome".to_owned();
        }
        "535 5.7.8 authentication failed".to_owned()
    }

    fn take(&mut self) -> Mail {
        let Envelope { from, to, raw } = std::mem::take(&mut self.mail);
        Mail { user: self.user.clone(), is_encrypted: self.is_encrypted, from, to, raw }
    }
}

/// What stands between `<` and `>`.
fn address(text: &str) -> String {
    text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(address, _)| address).to_owned()
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), text: &str) -> io::Result<()> {
    stream.write_all(format!("{text}\r\n").as_bytes()).await?;
    stream.flush().await
}

/// Reads up to the line that is a dot, and undoes the doubling of dots.
async fn read_data(stream: &mut BufReader<impl AsyncRead + Unpin>) -> io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = Vec::new();
        if stream.take(1 << 20).read_until(b'\n', &mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&line);
        if line == ".\r\n" {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
