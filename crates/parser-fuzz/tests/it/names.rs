//! Names that would lead somewhere else: out of a directory, into another header, onto another line.

use std::collections::BTreeMap;

use run_record::blob;
use run_state::{RunNumber, RunSet};
use ucon_db::{FolderName, ObjectName, ServerUrl};

const TRICKS: [&str; 9] =
    ["../../x", "/absolute", "..", "a/../b", "a\0b", "a\nb", "a\r\nSet-Cookie: b", "a?key=1", "a%2fb"];

#[test]
fn no_name_of_ucondb_leads_out_of_its_place() {
    for name in TRICKS {
        assert!(name.parse::<FolderName>().is_err(), "folder {name:?}");
        assert!(name.parse::<ObjectName>().is_err(), "object {name:?}");
        assert!(name.parse::<RunNumber>().is_err(), "key {name:?}");
        assert!(name.parse::<RunSet>().is_err(), "runs {name:?}");
        assert!(name.parse::<ServerUrl>().is_err(), "address {name:?}");
    }
}

#[test]
fn a_name_cannot_end_its_line_in_a_blob() {
    for name in TRICKS {
        let files = BTreeMap::from([(name.to_owned(), "text".to_owned())]);
        match blob::pack(RunNumber::new(7), &files) {
            // Whoever unpacks gets the very name, and no file: a blob is never unpacked onto a disk here.
            Ok(packed) => assert_eq!(blob::unpack(&packed).unwrap().files, files),
            Err(error) => assert!(name.contains('\n'), "{name:?}: {error}"),
        }
    }
}
