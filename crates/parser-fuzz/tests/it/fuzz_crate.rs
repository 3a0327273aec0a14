//! The crate `fuzz/`, which no other check builds, has every target.

use parser_fuzz::TARGETS;

use crate::fuzz_dir;

#[test]
fn every_target_has_its_program() {
    let manifest = fs_err::read_to_string(fuzz_dir().join("Cargo.toml")).unwrap();
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
    for target in TARGETS {
        let name = target.name;
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "fuzz/Cargo.toml has no target `{name}`");
        let source = fs_err::read_to_string(fuzz_dir().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(source.contains(&format!("parser_fuzz::check(\"{name}\", bytes)")), "{source}");
    }
}
