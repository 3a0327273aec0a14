//! The lexical rules of single words: where a number, a name, a bare word ends.
//!
//! All functions take the whole text and a position and return the end of the word, or `None`.

/// Whether `c` may stand in a name. Letters beyond ASCII are an extension.
pub(super) fn is_word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || (!c.is_ascii() && !c.is_whitespace() && !c.is_control() && c != '\u{feff}')
}

/// Whether the byte at `at` is invisible, the end of the text, or one of `allowed`.
pub(super) fn ends_before(text: &[u8], at: usize, allowed: &[u8]) -> bool {
    text.get(at).is_none_or(|byte| byte.is_ascii() && !byte.is_ascii_graphic() || allowed.contains(byte))
}

/// `true`, `@nil` and the like: the literal, and then nothing that would prolong it.
pub(super) fn literal(text: &[u8], at: usize, literal: &str, allowed: &[u8]) -> Option<usize> {
    let end = at + literal.len();
    (text[at..].starts_with(literal.as_bytes()) && ends_before(text, end, allowed)).then_some(end)
}

/// What may follow a number directly.
const AFTER_NUMBER: &[u8] = b"#/,]})";

/// A number: unsigned, infinity, real, hexadecimal or binary.
pub(super) fn number(text: &[u8], at: usize) -> Option<usize> {
    unsigned(text, at)
        .or_else(|| infinity(text, at))
        .or_else(|| real(text, at))
        .or_else(|| based(text, at, b'x', u8::is_ascii_hexdigit))
        .or_else(|| based(text, at, b'b', |byte| matches!(byte, b'0' | b'1')))
}

fn span(text: &[u8], at: usize, member: impl Fn(&u8) -> bool) -> usize {
    at + text[at..].iter().take_while(|byte| member(byte)).count()
}

pub(super) fn unsigned(text: &[u8], at: usize) -> Option<usize> {
    let end = span(text, at, u8::is_ascii_digit);
    (end > at && ends_before(text, end, AFTER_NUMBER)).then_some(end)
}

fn infinity(text: &[u8], at: usize) -> Option<usize> {
    let sign = usize::from(matches!(text.get(at), Some(b'+' | b'-')));
    literal(text, at + sign, "infinity", b"),]}")
}

fn real(text: &[u8], at: usize) -> Option<usize> {
    let end = span(text, at, |byte| byte.is_ascii_digit() || b".-+eE".contains(byte));
    (ends_before(text, end, AFTER_NUMBER) && is_decimal(&text[at..end])).then_some(end)
}

/// `[-+]?digits.digits([eE][-+]?digits?)?` with at least one digit before the exponent.
fn is_decimal(word: &[u8]) -> bool {
    let sign = usize::from(matches!(word.first(), Some(b'+' | b'-')));
    let whole = span(word, sign, u8::is_ascii_digit);
    let mut digits = whole - sign;
    let mut end = whole;
    if word.get(end) == Some(&b'.') {
        let fraction = span(word, end + 1, u8::is_ascii_digit);
        digits += fraction - end - 1;
        end = fraction;
    }
    if matches!(word.get(end), Some(b'e' | b'E')) {
        end += 1;
        if matches!(word.get(end), Some(b'+' | b'-')) {
            end += 1;
        }
        if end == word.len() {
            return false;
        }
        end = span(word, end, u8::is_ascii_digit);
    }
    digits > 0 && end == word.len()
}

fn based(text: &[u8], at: usize, letter: u8, member: impl Fn(&u8) -> bool) -> Option<usize> {
    let prefixed =
        text.get(at) == Some(&b'0') && text.get(at + 1).is_some_and(|byte| byte.eq_ignore_ascii_case(&letter));
    if !prefixed {
        return None;
    }
    let end = span(text, at + 2, member);
    (end > at + 2 && ends_before(text, end, AFTER_NUMBER)).then_some(end)
}

/// The end of the run of word characters from `at`.
fn word_end(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    at + rest.find(|c| !is_word_char(c)).unwrap_or(rest.len())
}

/// A name, or a bare word that starts like one.
pub(super) fn name(text: &str, at: usize) -> Option<usize> {
    let end = word_end(text, at);
    let fits = end > at && !text.as_bytes()[at].is_ascii_digit();
    (fits && ends_before(text.as_bytes(), end, b"#/,]}.[:")).then_some(end)
}

/// A bare word that starts with a digit and is not a number: `9d38abc`.
pub(super) fn digit_word(text: &str, at: usize) -> Option<usize> {
    let end = word_end(text, at);
    let word = &text.as_bytes()[at..end];
    let fits = word.first().is_some_and(u8::is_ascii_digit) && !word.iter().all(u8::is_ascii_digit);
    (fits && ends_before(text.as_bytes(), end, b"#/,]}")).then_some(end)
}

/// A reference or another word with `:`, `@` and `.` in it: `@local::physics.p1`.
pub(super) fn reference(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let end = at + rest.find(|c| !is_word_char(c) && !matches!(c, ':' | '.' | '@')).unwrap_or(rest.len());
    let fits = end > at && !text.as_bytes()[at].is_ascii_digit();
    (fits && ends_before(text.as_bytes(), end, b"#/,]}.[:")).then_some(end)
}

/// A bare IPv4 address with optional port, MAC address, clock time, ISO date or ISO date-time.
///
/// None of these forms is accepted by the genuine grammar, so that taking them first changes nothing else.
pub(super) fn address_or_time(text: &[u8], at: usize) -> Option<usize> {
    let end = span(text, at, |byte| byte.is_ascii_alphanumeric() || b".:+-".contains(byte));
    let word = std::str::from_utf8(&text[at..end]).ok()?;
    let known = is_ipv4(word) || is_mac(word) || is_clock(word) || is_date_time(word);
    (known && ends_before(text, end, b"#/,]}")).then_some(end)
}

fn all_digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_ipv4(word: &str) -> bool {
    let (address, port) = word.split_once(':').unwrap_or((word, "0"));
    address.split('.').count() == 4 && address.split('.').all(|part| all_digits(part, 1..=3)) && all_digits(port, 1..=5)
}

fn is_mac(word: &str) -> bool {
    let hex = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    word.split(':').count() == 6 && word.split(':').all(hex)
}

fn is_clock(word: &str) -> bool {
    let (clock, fraction) = word.split_once('.').unwrap_or((word, "0"));
    let mut parts = clock.split(':');
    parts.next().is_some_and(|hours| all_digits(hours, 1..=2))
        && (2..=3).contains(&clock.split(':').count())
        && parts.all(|part| all_digits(part, 2..=2))
        && all_digits(fraction, 1..=9)
}

fn is_date_time(word: &str) -> bool {
    let (date, time) = word.split_once('T').unwrap_or((word, "00:00"));
    let mut parts = date.split('-');
    let is_date = date.split('-').count() == 3
        && parts.next().is_some_and(|year| all_digits(year, 4..=4))
        && parts.all(|part| all_digits(part, 2..=2));
    let clock = time.strip_suffix('Z').unwrap_or_else(|| match time.rfind(['+', '-']) {
        Some(sign) if is_zone(&time[sign + 1..]) => &time[..sign],
        _ => time,
    });
    is_date && is_clock(clock)
}

fn is_zone(zone: &str) -> bool {
    all_digits(zone, 2..=2) || all_digits(zone, 4..=4) || is_clock(zone)
}
