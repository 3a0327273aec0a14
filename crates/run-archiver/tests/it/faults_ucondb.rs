//! What goes wrong with a UconDB server, over HTTP and over HTTPS: rows for the table of [`crate::faults`].
//!
//! Where reasons differ, Apache says at the end of an answer that it is cut, and the server itself does not.

use test_kit::ucondb::{Certificate, Fault};

use crate::{
    faults::{Ends, On, Row},
    faults_place::Place,
};

/// The words of the genuine server.
fn disk_full() -> Fault {
    let text = "<h3>could not extend file \"base/16386/2613\": No space left on device</h3>";
    Fault::Status(500, text.to_owned())
}

fn elsewhere() -> Fault {
    Fault::Redirect("http://127.0.0.1:1/app".to_owned())
}

/// Run 102 is the first that is put.
const fn one_put(name: &'static str, spoil: fn(&mut Place), says: &'static [&'static str]) -> Row {
    Row { name, on: On::Server, spoil, mend: heal, says, ends: Ends::OneMigration, passes: true }
}

/// UconDB cannot be listed.
const fn no_listing(name: &'static str, spoil: fn(&mut Place), says: &'static [&'static str]) -> Row {
    Row { name, on: On::Server, spoil, mend: heal, says, ends: Ends::NoMigration, passes: false }
}

/// A certificate that is not to be trusted.
const fn distrusted(
    name: &'static str,
    spoil: fn(&mut Place),
    mend: fn(&mut Place),
    says: &'static [&'static str],
) -> Row {
    Row { name, on: On::Https, spoil, mend, says, ends: Ends::NoMigration, passes: false }
}

fn heal(place: &mut Place) {
    place.heal_ucon();
}

fn show_a_good_one(place: &mut Place) {
    place.show(Certificate::Good);
}

pub(crate) const ROWS: &[Row] = &[
    no_listing("503 to the listing", |place| place.ucon_fails("GET", "/", Fault::Unavailable), &["answers 503"]),
    no_listing(
        "a truncated listing",
        |place| place.ucon_fails("GET", "/versions", Fault::CutAnswerAfter(50)),
        &["could not list the archive", "not the record that the protocol promises | the connection broke off"],
    ),
    no_listing(
        "a redirection to plain HTTP",
        |place| place.ucon_fails("GET", "/", elsewhere()),
        &["the server answers 302", "`http://127.0.0.1:1/app`", "`ucon_db.server_url`"],
    ),
    Row {
        name: "nobody listens",
        on: On::Server,
        spoil: |place| {
            let (server, nobody) = place.ucon_urls();
            place.world.configure(&server, &nobody);
        },
        mend: |place| {
            let (server, nobody) = place.ucon_urls();
            place.world.configure(&nobody, &server);
        },
        says: &["the server cannot be reached"],
        ends: Ends::NoMigration,
        passes: false,
    },
    Row {
        name: "a wrong password",
        on: On::Server,
        spoil: |place| place.world.configure("'secret'", "'hunter2'"),
        mend: |place| place.world.configure("'hunter2'", "'secret'"),
        says: &["the server refuses user or password (401"],
        ends: Ends::Migrations("102"),
        passes: false,
    },
    Row {
        name: "503 to every put",
        on: On::Server,
        spoil: |place| place.ucon_fails("POST", "/data", Fault::Unavailable),
        mend: heal,
        says: &["could not start a session", "answers 503"],
        ends: Ends::Migrations("102-104"),
        passes: false,
    },
    one_put("503 to a put", |place| place.put_fails(Fault::Unavailable), &["could not store run 102", "answers 503"]),
    one_put(
        "the disk of the server is full",
        |place| place.put_fails(disk_full()),
        &["could not store run 102", "No space left on device"],
    ),
    one_put(
        "cut in the middle of a put",
        |place| place.put_fails(Fault::CutRequestAfter(200)),
        &["could not store run 102", "the connection broke off"],
    ),
    one_put(
        "the answer to a put is lost",
        |place| place.put_fails(Fault::LoseAnswer),
        &["could not store run 102", "the connection broke off"],
    ),
    one_put(
        "a truncated answer to a put",
        |place| place.put_fails(Fault::CutAnswerAfter(20)),
        &["could not store run 102", "the connection broke off"],
    ),
    one_put(
        "a truncated answer to the reading back",
        |place| place.readback_fails(Fault::CutAnswerAfter(9)),
        &["could not fetch run 102", "the answer broke off after 9 of | the connection broke off"],
    ),
    one_put(
        "a damaged answer to the reading back",
        |place| place.readback_fails(Fault::FlipByte),
        &["could not fetch run 102", "the answer is damaged"],
    ),
    distrusted(
        "an unknown authority",
        |place| place.world.configure(", ca_file: 'conf/ca.pem'", ""),
        |place| place.world.configure("writer_user: writer", "writer_user: writer, ca_file: 'conf/ca.pem'"),
        &["the server's certificate is not trusted", "UnknownIssuer", "`ucon_db.ca_file`"],
    ),
    distrusted(
        "the file of the authorities is not there",
        |place| place.world.configure("conf/ca.pem", "conf/none.pem"),
        |place| place.world.configure("conf/none.pem", "conf/ca.pem"),
        &["conf/none.pem", "`ucon_db.ca_file`"],
    ),
    distrusted(
        "the file of the authorities holds none",
        |place| {
            place.world.env.write("conf/none.pem", "no certificate\n");
            place.world.configure("conf/ca.pem", "conf/none.pem");
        },
        |place| place.world.configure("conf/none.pem", "conf/ca.pem"),
        &["authorities", "`ucon_db.ca_file` names `conf/none.pem`"],
    ),
    distrusted(
        "the certificate of another host",
        |place| place.show(Certificate::OfAnotherHost),
        show_a_good_one,
        &["the server's certificate is not trusted", "not valid for name", "`ucon_db.server_url`"],
    ),
    distrusted(
        "an expired certificate",
        |place| place.show(Certificate::Expired),
        show_a_good_one,
        &["the server's certificate is not trusted", "expired"],
    ),
];
