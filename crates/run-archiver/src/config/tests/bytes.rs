//! Damaged configurations: refused with a message that tells no secret, never a panic. What `fuzz/` does with the
//! parsers of the libraries is done here without a fuzzer, since this one is part of a program.

use test_kit::{Mutator, bombs};

use super::*;

const SECRET: &str = "s3cret";

fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = env_file::load(&text, &mut Environment::new());
    let outcome = load_text(&text);
    // Wherever else the secret came to stand it is none.
    if text.matches(SECRET).count() != 1 || !text.contains(&format!("writer_password: {SECRET}}}")) {
        return;
    }
    let said = match &outcome {
        Ok(config) => format!("{config:?} {:?}", config.warnings),
        Err(error @ ConfigError::Invalid { findings, .. }) => format!("{error} {error:?} {findings:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    assert!(!said.contains(SECRET), "{said}\nis said of\n{text}");
}

fn seeds() -> Vec<Vec<u8>> {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/run-archiver/config.yaml");
    let references =
        with("x: {a: &a [1, {b: *c}], <<: {d: 1}}\nreporting: {email: {enabled: '${SET:-${app.work_dir}}'}}");
    vec![MINIMAL.into(), fs::read(example).unwrap(), references.into(), b"A=\"$B ${C:-d}\" # e\nexport B='f'\n".into()]
}

#[test]
fn no_damage_makes_the_reader_panic_or_tell_a_secret() {
    let seeds = seeds();
    seeds.iter().cloned().chain(Mutator::new(0x5eed, &seeds).take(5_000)).for_each(|input| check(&input));
}

#[test]
fn a_bomb_costs_what_its_length_costs() {
    for (name, bomb) in bombs(&seeds()) {
        let start = std::time::Instant::now();
        check(&bomb);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(20), "{took:?} for {name}, {} bytes", bomb.len());
    }
}
