//! The sections about notification, and what stays secret.

use super::*;

/// `MINIMAL` with mail switched on.
fn mail(entries: &str) -> String {
    with(&format!("reporting: {{email: {{enabled: true, sender_email: d@b.org, smtp_host: h, {entries}}}}}"))
}

#[test]
fn what_is_wrong_is_an_error_where_it_is_switched_on() {
    for (text, expect) in [
        (
            with("reporting: {slack: {enabled: yes, bot_token: t}}"),
            "error reporting.slack.channel: required where this section is enabled",
        ),
        (
            with("reporting: {slack: {enabled: yes, bot_token: t, channel: c, api_url: 'http://x.org'}}"),
            "error 5: reporting.slack.api_url: must begin with https:// (http://127.0.0.1:… in tests), or anybody could read the token",
        ),
        (
            with("reporting: {slack: {enabled: yes, bot_token: t, channel: c, mention_users: 'U1, @bob'}}"),
            "error 5: reporting.slack.mention_users: `@bob` is not the id of a user, which looks like U012AB3CD",
        ),
        (
            with("carbon: {enabled: true, host: h, metric_prefix: 'a b'}"),
            "error 5: carbon.metric_prefix: may hold letters, digits, `_`, `-` and dots",
        ),
        (
            with("carbon: {enabled: false, host: h, metric_prefix: 'a b'}"),
            "warning 5: carbon.metric_prefix: may hold letters, digits, `_`, `-` and dots",
        ),
        (mail("recipient_email: 'a@b.org, x'"), "error 5: reporting.email.recipient_email: `x` is not a mail address"),
        (mail("recipient_email: ','"), "error 5: reporting.email.recipient_email: holds no mail address"),
        (
            mail("recipient_email: a@b.org, smtp_user: u"),
            "error 5: reporting.email.smtp_user: goes together with `smtp_password`: give both or neither",
        ),
        (
            mail("recipient_email: a@b.org, smtp_user: u, smtp_password: p"),
            "warning 5: reporting.email.smtp_password: the password is sent without encryption; see `smtp_use_tls`",
        ),
        (
            mail("recipient_email: a@b.org, on: never"),
            "error 5: reporting.email.on: expected one of failure, always, found `never`",
        ),
    ] {
        assert_eq!(remarks(&text), [expect], "{text}");
    }
}

#[test]
fn mail_is_encrypted_as_the_keys_say() {
    for (keys, expect) in [
        ("", SmtpTls::None),
        ("smtp_use_tls: true", SmtpTls::StartTls),
        ("smtp_use_tls: true, smtp_port: 587", SmtpTls::StartTls),
        ("smtp_use_tls: true, smtp_port: 465", SmtpTls::Implicit),
        ("smtp_port: 465", SmtpTls::Implicit),
        ("smtp_tls: implicit, smtp_port: 2465", SmtpTls::Implicit),
        ("smtp_tls: none, smtp_use_tls: true", SmtpTls::None),
    ] {
        let config = load_text(&mail(&format!("recipient_email: 'a@b.org, C <c@d.org>', {keys}"))).unwrap();
        let email = config.reporting.email.as_ref().unwrap();
        assert_eq!((email.tls, email.recipients.len()), (expect, 2), "{keys}");
    }
}

#[test]
fn no_remark_and_no_debug_form_shows_a_secret() {
    let text = MINIMAL.replace("filesystemdb:///", "mongo://user:s3cret@host/");
    let seen = remarks(&text).join("\n");
    assert!(seen.contains("@host/a`") && !seen.contains("s3cret"), "{seen}");
    let slack = "slack: {enabled: true, channel: c, bot_token: s3cret-token}";
    let more = format!("recipient_email: a@b.org, smtp_user: u, smtp_password: s3cret-mail}}, {slack}, x: {{");
    let config = load_text(&mail(&more)).unwrap();
    assert_eq!(config.reporting.secrets.len(), 3);
    let debug = format!("{config:?}");
    assert!(debug.contains("Slack {") && !debug.contains("s3cret"), "{debug}");
}

#[test]
fn the_packaged_example_is_understood_with_every_channel_on() {
    let text = include_str!("../../../../packaging/examples/run-archiver.yaml");
    let mut environment = Environment::new();
    env_file::load(include_str!("../../../../packaging/examples/archiver.env"), &mut environment).unwrap();
    let as_it_is = parse(Path::new("c.yaml"), text, &environment).unwrap();
    assert!(as_it_is.warnings.is_empty(), "{:?}", as_it_is.warnings);
    assert!(as_it_is.reporting.email.is_none() && as_it_is.reporting.slack.is_none());
    let text = text.replace("enabled: false", "enabled: true").replace("# metrics:", "metrics:");
    let all_on = parse(Path::new("c.yaml"), &text.replace("#     textfile", "    textfile"), &environment).unwrap();
    assert!(all_on.warnings.is_empty(), "{:?}", all_on.warnings);
    let reporting = &all_on.reporting;
    assert_eq!(reporting.email.as_ref().unwrap().tls, SmtpTls::StartTls);
    assert!(reporting.slack.is_some() && reporting.carbon.is_some() && reporting.textfile.is_some());
}
