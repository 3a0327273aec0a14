//! What must be in the package.

/// Every file without which the package is not complete, with or without `.gz` at its end.
const EXPECTED: [&str; 18] = [
    "usr/bin/gsi-create",
    "usr/bin/run-archiver",
    "usr/share/man/man1/gsi-create.1",
    "usr/share/man/man1/run-archiver.1",
    "usr/share/bash-completion/completions/gsi-create",
    "usr/share/bash-completion/completions/run-archiver",
    "usr/share/zsh/vendor-completions/_gsi-create",
    "usr/share/zsh/vendor-completions/_run-archiver",
    "usr/share/fish/vendor_completions.d/gsi-create.fish",
    "usr/share/fish/vendor_completions.d/run-archiver.fish",
    "usr/lib/systemd/system/run-archiver.service",
    "usr/lib/systemd/system/run-archiver.timer",
    "usr/lib/sysusers.d/waymark.conf",
    "usr/share/doc/waymark/copyright",
    "usr/share/doc/waymark/operations.md",
    "usr/share/doc/waymark/examples/run-archiver.yaml",
    "usr/share/doc/waymark/examples/archiver.env",
    "usr/share/doc/waymark/examples/gsis/priority1.json",
];

/// What of it is not in `listing`.
pub(super) fn missing(listing: &[String]) -> Vec<&'static str> {
    let is_there =
        |wanted: &str| listing.iter().any(|file| file.strip_suffix(".gz").unwrap_or(file) == wanted || file == wanted);
    EXPECTED.into_iter().filter(|wanted| !is_there(wanted)).collect()
}

/// The path in a line of `dpkg-deb --contents`; `None` for a directory.
pub(super) fn file_of(line: &str) -> Option<String> {
    // -rwxr-xr-x root/root   1234 2026-03-01 10:00 ./usr/bin/x
    let path = line.split_whitespace().nth(5)?;
    (!line.starts_with('d')).then(|| path.trim_start_matches("./").to_owned())
}

#[cfg(test)]
mod tests {
    use super::{EXPECTED, file_of, missing};

    #[test]
    fn a_listing_is_read_and_compared() {
        for (line, expect) in [
            ("-rwxr-xr-x root/root   1234 2026-03-01 10:00 ./usr/bin/x", Some("usr/bin/x")),
            ("drwxr-xr-x root/root      0 2026-03-01 10:00 ./usr/bin/", None),
            ("", None),
        ] {
            assert_eq!(file_of(line).as_deref(), expect, "{line}");
        }
        let mut listing: Vec<String> = EXPECTED.iter().map(|&path| path.to_owned()).collect();
        assert_eq!(missing(&listing), [""; 0]);
        listing.remove(0);
        listing[13] = "usr/share/doc/waymark/operations.md.gz".to_owned();
        assert_eq!(missing(&listing), ["usr/bin/gsi-create"]);
    }
}
