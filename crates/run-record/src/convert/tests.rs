//! The converters on small texts; whole records of the genuine program are in `tests/it`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::fhicl::Document;

fn check(converter: Converter, content: &str, expect: &str) {
    assert_eq!(converter.convert(content), expect, "{converter:?} of {content:?}");
    Document::parse(converter.name(), expect).unwrap();
}

#[test]
fn known_boardreaders_list() {
    let check = |content, expect| check(Converter::KnownBoardreadersList, content, expect);
    check("", "");
    check("# c\n\nb01 daq01 -1 1\nalone\n", "b01: [\"daq01\", \"-1\", \"1\"]\n");
    check("b01 daq01 \"1-3 --foo\"\r\n", "b01: [\"daq01\", \"1-3 --foo\" ]\n");
    check("b-01 a\\b c\"d", "b_01: [\"a\\\\b\", \"c\\\"d\"]\n");
}

#[test]
fn settings() {
    let check = |content, expect| check(Converter::Settings, content, expect);
    check("# c\nlog directory: /tmp\nno colon\n", "log_directory: \"/tmp\"\n");
    check("a-(b)/c.d: 1.5\nt: TRUE\nv: 1.2.3\n", "a_b_c_d: 1.5\nt: true\nv: \"1.2.3\"\n");
    check("l: [ artdaq-demo, \"x\", 'y-z', ]", "l: [ artdaq_demo, x, y_z ]\n");
    check("l: [daq01.example.org, b]", "l: [\"daq01.example.org\", \"b\"]\n");
    check("p: C:\\new\\dir\nn: C:\\new\nµ: 5 µs", "p: \"C:\\\\new\\\\dir\"\nn: \"C:\\new\"\nµ: \"5 µs\"\n");
    check("q: say \"hi\"\n", "q: \"say \\\"hi\\\"\"\n");
}

#[test]
fn setup() {
    let check = |content, expect| check(Converter::Setup, content, expect);
    check("", "setup_script: \"\"");
    check("a \"b\"\r\n\tc\\d é\n", "setup_script: \"a \\\"b\\\"\\n\tc\\\\d é\\n\"");
    check("end \\", "setup_script: \"end \\\\\\n\"");
    check("\u{1b}[0m", "setup_script: \"\u{ef1b}[0m\"");
}

#[test]
fn environment() {
    let check = |content, expect| check(Converter::Environment, content, expect);
    check("# c\nexport A=1\n export  B_2 = 'x y' \nC=3\nexport 9=1\nexport\n", "A: \"1\"\nB_2: \"x y\"\n");
    check("export Q=a\"b\nexport P=C:\\x\n", "Q: \"a\\\"b\"\nP: \"C:\\\\x\"\n");
    check("export E=\n", "E: \"\"\n");
}

#[test]
fn ranks() {
    let check = |content, expect| check(Converter::Ranks, content, expect);
    check("", "");
    check(
        "host port label subsystem rank\n\nd1 10 c1 1 0\nshort row\n",
        "ranks: {\n  header: [\"host\", \"port\", \"label\", \"subsystem\", \"rank\"]\n  rank0: [\"d1\", \"10\", \"c1\", \"1\", \"0\"]\n}\n",
    );
    check("h\na b c d -1", "ranks: {\n  header: [\"h\"]\n  rank_1: [\"a\", \"b\", \"c\", \"d\", \"-1\"]\n}\n");
}

#[test]
fn boot() {
    let check = |content, expect| check(Converter::Boot, content, expect);
    check("", "\nartdaq_process_settings: [\n]\n");
    check(
        "DAQ setup script: /x\ndebug level: 1\n\nSubsystem id: 1\nSubsystem source: 2\n\nDataLogger host: h\nDataLogger label: D1\nDataLogger port: 10101\n\nDispatcher label: P\n\nDataLogger label: D1\n",
        "DAQ_setup_script: \"/x\"\ndebug_level: 1\n\nsubsystem_settings: [\n{\nid: \"1\"\nsource: \"2\"\n}\n]\n\nartdaq_process_settings: [\n{\nname: \"DataLogger\"\nlabel: \"D1\"\nhost: \"not set\"\n},\n{\nname: \"Dispatcher\"\nlabel: \"P\"\nhost: \"not set\"\n}\n]\n",
    );
    check(
        "EventBuilder label: E \"1\"\nEventBuilder port: any/free",
        "\nartdaq_process_settings: [\n{\nname: \"EventBuilder\"\nlabel: \"E \\\"1\\\"\"\nhost: \"not set\"\nport: \"any/free\"\n}\n]\n",
    );
}

#[test]
fn metadata() {
    let check = |content, expect| check(Converter::Metadata, content, expect);
    check("", "");
    check(
        "Config name: a b\nComponent #0: c1\nComponent #1: c2\n# note\nartdaq-core commit/version: 1 \"x\"\npmt logfile: /l*\n\nboardreader logfiles:\nh:/a.log  (old)\nh:/b.log\n\nTotal events: 70\ndispatcher logfiles:\nh:/d",
        "config_name: \"a b\"\n# note\ncomponents: [\"c1\", \"c2\"]\nartdaq_core_commit_or_version: \"1  x \"\npmt_logfiles_wildcard: \"/l*\"\n\nboardreader_logfiles: [\"h:/a.log\", \"h:/b.log\"]\ntotal_events: 70\n\ndispatcher_logfiles: [\"h:/d\"]\n",
    );
    check("Temp (°C): 5 µ\\\n#included by hand\n", "Temp__°C_: '5 µ\\'\n# included by hand\n");
}

#[test]
fn run_histories_and_the_configuration_name() {
    let metadata = "Config name: a/b c \nComponent #0: c1\n# Component #1: no\nDAQInterface start time: Wed \nDAQInterface stop time:\n";
    assert_eq!(
        run_history(RunNumber::new(7), metadata),
        "run_number: 7\n\nconfig_name: \"a/b c\"\n\ncomponents: [\"c1\"]\n\n"
    );
    assert_eq!(run_history(RunNumber::new(7), ""), "run_number: 7\n\n");
    assert_eq!(run_history2(metadata).as_deref(), Some("DAQInterface_start_time: \"Wed \""));
    assert_eq!(run_history2("Config name: x"), None);
    assert_eq!(configuration_name(Some(metadata)), "a_b c");
    assert_eq!(configuration_name(Some("Config name: \n Config name: y")), "standard");
    assert_eq!(configuration_name(None), "standard");
}

proptest! {
    /// Whatever stands in the files of a record, their conversion is FHiCL.
    #[test]
    fn every_conversion_is_well_formed(content in r#"([A-Za-z0-9 :\\"'#\[\],./{}=\t\r\n\x01é-]|Config name:|Component #1:|boardreader logfiles:|DataLogger label:|Subsystem id:|export A=|commit/version:|DAQInterface stop time: |#include |\x{7f})*"#) {
        for converter in Converter::ALL {
            let converted = converter.convert(&content);
            if let Err(error) = Document::parse(converter.name(), &converted) {
                prop_assert!(false, "{error}\n{converted}");
            }
        }
        Document::parse("RunHistory", &run_history(RunNumber::new(1), &content)).unwrap();
        Document::parse("RunHistory2", &run_history2(&content).unwrap_or_default()).unwrap();
    }
}
