//! What goes wrong with records on the disk, and with the disk under the archives: rows for the table of
//! [`crate::faults`].

use std::os::unix::fs::PermissionsExt as _;

use fs_err as fs;

use crate::{
    faults::{Ends, On, Row},
    faults_place::Place,
};

/// Run 102 as it should be, whatever stands in its place.
fn mend_record(place: &mut Place) {
    let path = place.world.env.join("records/102");
    if path.is_file() {
        fs::remove_file(&path).unwrap();
    } else {
        fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        fs::remove_dir_all(&path).unwrap();
    }
    place.world.mend(102);
}

pub(crate) const RECORDS: &[Row] = &[
    Row {
        name: "malformed FHiCL",
        on: On::All,
        spoil: |place| place.world.spoil(102),
        mend: mend_record,
        says: &["a FHiCL file is malformed: `board1.fcl` line "],
        ends: Ends::OneImport,
        passes: false,
    },
    Row {
        name: "an empty directory",
        on: On::All,
        spoil: |place| {
            fs::remove_dir_all(place.world.env.join("records/102")).unwrap();
            fs::create_dir(place.world.env.join("records/102")).unwrap();
        },
        mend: mend_record,
        says: &["records/102` holds no `.txt` or `.fcl` file"],
        ends: Ends::OneImport,
        passes: false,
    },
    Row {
        name: "a file in place of a directory",
        on: On::All,
        spoil: |place| {
            fs::remove_dir_all(place.world.env.join("records/102")).unwrap();
            place.world.env.write("records/102", "x");
        },
        mend: mend_record,
        says: &["records/102` is not a directory"],
        ends: Ends::OneImport,
        passes: false,
    },
    Row {
        name: "an unreadable directory",
        on: On::All,
        spoil: |place| {
            fs::set_permissions(place.world.env.join("records/102"), std::fs::Permissions::from_mode(0o000)).unwrap();
            // Root may read everything but a link that leads nowhere.
            let text = place.world.env.join("records/102/metadata.txt");
            if fs::read(&text).is_ok() {
                fs::remove_file(&text).unwrap();
                fs::os::unix::fs::symlink("metadata.txt", &text).unwrap();
            }
        },
        mend: mend_record,
        says: &["could not read"],
        ends: Ends::OneImport,
        passes: false,
    },
];

pub(crate) const DISKS: &[Row] = &[
    Row {
        name: "a full disk under artdaqDB",
        on: On::Directory,
        spoil: |place| place.fill_disk_but_for("0"),
        mend: Place::move_to_greater_disk,
        says: &["artdaqdb", "No space left on device"],
        ends: Ends::AllImports { can_migrate: None },
        passes: false,
    },
    Row {
        name: "a full disk under artdaqDB, in the middle",
        on: On::Directory,
        spoil: |place| place.fill_disk_but_for("48K"),
        mend: Place::move_to_greater_disk,
        says: &["artdaqdb", "No space left on device"],
        ends: Ends::AllImports { can_migrate: None },
        passes: false,
    },
    Row {
        name: "a full disk under UconDB",
        on: On::Sqlite,
        spoil: |place| place.fill_disk_but_for("0"),
        mend: Place::move_to_greater_disk,
        says: &["ucondb.sqlite`", "is the disk full?"],
        ends: Ends::NoMigration,
        passes: false,
    },
    Row {
        name: "a full disk under UconDB, in the middle",
        on: On::Sqlite,
        spoil: |place| place.fill_disk_but_for("36K"),
        mend: Place::move_to_greater_disk,
        says: &["ucondb.sqlite`", "disk is full"],
        ends: Ends::Migrations("102-104"),
        passes: false,
    },
];
