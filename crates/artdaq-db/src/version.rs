//! Versions of documents: `1000/demo`, `1000/demov1`, `1000/demov2`, …, compared as people read them.

use std::cmp::Ordering;

/// The number of a version of `configuration`: 0 for the first pass, `N` for `…vN`; `None` for any other text.
pub(crate) fn version_number(configuration: &str, version: &str) -> Option<u64> {
    match version.strip_prefix(configuration)? {
        "" => Some(0),
        suffix => suffix.strip_prefix('v')?.parse().ok(),
    }
}

/// Compares versions as people read them: runs of digits as numbers, everything else as text.
pub(crate) fn compare_versions(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        let (left_digits, right_digits) = (digits(left), digits(right));
        if left_digits > 0 && right_digits > 0 {
            let (x, y) = (without_zeros(&left[..left_digits]), without_zeros(&right[..right_digits]));
            let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
            if order.is_ne() {
                return order;
            }
            (left, right) = (&left[left_digits..], &right[right_digits..]);
            continue;
        }
        match (left.split_first(), right.split_first()) {
            (Some((x, left_rest)), Some((y, right_rest))) if x == y => (left, right) = (left_rest, right_rest),
            // Equal but for leading zeros: any order will do, if it is always the same.
            (None, None) => return a.cmp(b),
            _ => return left.cmp(right),
        }
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    &digits[digits.iter().take_while(|&&digit| digit == b'0').count()..]
}

/// The text of a version: the configuration's name, and `vN` from the second pass on.
pub(crate) fn version(configuration: &str, number: u64) -> String {
    if number == 0 { configuration.to_owned() } else { format!("{configuration}v{number}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let check = |smaller: &str, greater: &str| {
            assert_eq!(compare_versions(smaller, greater), Ordering::Less, "{smaller} {greater}");
            assert_eq!(compare_versions(greater, smaller), Ordering::Greater, "{smaller} {greater}");
        };
        check("1000/demo", "1000/demov1");
        check("1000/demov9", "1000/demov10");
        check("1000/demov1", "1000/demov1v1");
        check("999/demo", "1000/demo");
        check("", "notprovided");
        check("a01", "a1");
        check("99999999999999999999999", "100000000000000000000000");
        assert_eq!(compare_versions("1000/demov1", "1000/demov1"), Ordering::Equal);
    }

    #[test]
    fn versions_have_numbers() {
        let check = |version: &str, expect| assert_eq!(version_number("1000/demo", version), expect, "{version}");
        check("1000/demo", Some(0));
        check("1000/demov1", Some(1));
        check("1000/demov12", Some(12));
        check("1000/demov1v1", None);
        check("1000/demo2", None);
        check("notprovided", None);
    }
}
