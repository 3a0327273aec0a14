//! The plan: what it says, and that it changes nothing; definitions out of tables, and from other tools.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

use gsi_aws::plan::Plan;
use serde_json::json;
use test_kit::TestEnv;

use crate::support::*;

/// An index keyed by a text attribute, or by two.
fn index(name: &str, keys: &[(&str, &str)]) -> serde_json::Value {
    let roles = ["HASH", "RANGE"];
    let schema = keys.iter().zip(roles).map(|((name, _), role)| json!({"AttributeName": name, "KeyType": role}));
    let types = keys.iter().map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}));
    json!({
        "IndexName": name, "KeySchema": schema.collect::<Vec<_>>(), "AttributeDefinitions": types.collect::<Vec<_>>(),
        "Projection": {"ProjectionType": "ALL"},
    })
}

/// Every file under a directory with its bytes and the time of its last change.
fn stamped(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs_err::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let (path, metadata) = (entry.path(), entry.metadata().unwrap());
        if metadata.is_dir() {
            found.extend(stamped(&path));
            found.insert(path, (Vec::new(), metadata.modified().unwrap()));
        } else {
            found.insert(path.clone(), (fs_err::read(&path).unwrap(), metadata.modified().unwrap()));
        }
    }
    found
}

/// An account in which every verdict occurs, and a state that knows of one index.
fn prepared() -> TestEnv {
    let env = env_with(
        &json!({"bookings": [index("passenger-index", &[("passenger_id", "S")])],
        "crew": [index("by-base", &[("base", "S")])]})
        .to_string(),
    );
    // The second fails, so that the state stays.
    let faults = "UpdateTable[crew]#*=ValidationException(not today)";
    run(&env, &["--embedded-faults", faults, "--no-validate"]).code(1);
    let elsewhere = |definitions: serde_json::Value, times: &str, more: &[&str]| {
        env.write("other.json", definitions.to_string());
        let args = ["other.json", "--endpoint", "embedded:db.sqlite", "--state-dir", "o", "--no-validate"];
        env.command(args.iter().chain(&["--embedded-times", times]).chain(more)).assert()
    };
    let quick = json!({"crew": [index("crew-duty-date-index", &[("crew_id", "S")])],
        "flights": [index("by-gate", &[("gate", "S")])]});
    elsewhere(quick, "1ms,1ms,1ms", &[]).success();
    let slow = json!({"flights": [index("aircraft-rotation-index", &[("aircraft", "S"), ("departure", "S")])],
        "gates": [index("by-terminal", &[("terminal", "S")])]});
    elsewhere(slow, "10h,10h,1s", &["--no-wait"]).code(4);
    fs_err::remove_file(env.join("other.json")).unwrap();
    env.write(
        "gsis.json",
        json!({
            "bookings": [
                index("passenger-index", &[("passenger_id", "S")]),
                index("flight-status-index", &[("flight_id", "S"), ("booking_status", "S")]),
                index("booking-number-index", &[("pk", "N")]),
            ],
            "crew": [index("crew-duty-date-index", &[("crew_id", "S"), ("duty_date", "S")])],
            "flights": [
                index("by-gate", &[("gate", "S")]),
                index("aircraft-rotation-index", &[("aircraft", "S"), ("departure", "S")]),
                index("airport-curfew-index", &[("airport", "S")]),
            ],
            "gates": [index("by-airport", &[("airport", "S")])],
        })
        .to_string(),
    );
    env
}

fn plan(env: &TestEnv, more: &[&str]) -> assert_cmd::assert::Assert {
    let args = ["gsis.json", "--endpoint", "embedded:db.sqlite", "--state-dir", "s", "--plan"];
    env.command(args.iter().chain(more)).assert()
}

#[test]
fn every_verdict_in_one_screen() {
    let env = prepared();
    let assert = plan(&env, &["--price-per-million-writes", "1.25"]).code(1).stderr("");
    let screen = stdout(&assert);
    assert!(screen.lines().all(|line| line.chars().count() <= 100), "{screen}");
    insta::assert_snapshot!(screen, @r"
    Plan for 8 indexes of 4 tables  (nothing was changed)

        VERDICT   TABLE     INDEX                    TURN  BUILD TIME        WRITES
      ✓ done      bookings  passenger-index
      + create    bookings  flight-status-index         1  8 to 17 min       5
      ✗ refused   bookings  booking-number-index
                  attribute `pk` is S in table `bookings` and N in the definition; DynamoDB would
                  silently keep S
      ✗ conflict  crew      crew-duty-date-index
                  key schema is crew_id HASH; wanted crew_id HASH, duty_date RANGE
      = adopt     flights   by-gate
      … wait      flights   aircraft-rotation-index     1  0 to 17 min
                  it is being built (resources are allocated)
      + create    flights   airport-curfew-index        2  8 to 17 min       5
      … wait      gates     by-airport                  1  8 to 17 min       5
                  index `by-terminal` is CREATING, and a table takes one at a time; then it is created

    2 to create, 2 to wait for, 1 to adopt, 1 done, 1 in conflict, 1 refused

    Order: 3 tables side by side, the indexes of a table one after the other
      8 to 34 min       flights: aircraft-rotation-index → airport-curfew-index
      8 to 17 min       bookings: flight-status-index
      8 to 34 min       gates: by-airport

    Forecast: 8 to 34 min in all
              15 write units; less than 0.01 at 1.25 a million on demand
              at AWS, where an index takes 8 to 17 min even if it is empty, and items add to that
    next: settle what is in conflict or refused; the same command without `--plan` does the rest
    ");
}

#[test]
fn it_changes_nothing() {
    let env = prepared();
    let before = stamped(env.path());
    plan(&env, &[]).code(1);
    plan(&env, &["--json"]).code(1);
    env.command(["gsis.json", "--endpoint", "embedded:db.sqlite", "--dry-run"]).assert().code(1);
    env.command(["gsis.json", "--endpoint", "embedded:new.sqlite", "--state-dir", "new", "--plan"]).assert().code(3);
    env.command(["gsis.json", "--endpoint", "embedded", "--state-dir", "new", "--plan"]).assert().code(3);
    env.command(["--export-definitions", "--table", "crew", "--endpoint", "embedded:db.sqlite"]).assert().success();
    // The database has a ledger of calls, so it shows that not even a look was taken at it.
    assert_eq!(stamped(env.path()), before);
}

#[test]
fn the_exit_code_tells_whether_there_is_something_to_do() {
    let env = env();
    plan(&env, &[]).code(3);
    run(&env, &["--table", "crew"]).success();
    plan(&env, &["--table", "crew"]).code(0);
    plan(&env, &[]).code(3);
    run(&env, &[]).success();
    let said = stdout(&plan(&env, &[]).code(0));
    assert!(said.contains("3 to adopt") && !said.contains("Forecast"), "{said}");
}

#[test]
fn it_needs_no_lock() {
    let env = env();
    let mut first = env.start(timed("10m,10m,1s", &[]));
    first.wait_for_line("crew.by-date: being built");
    let before = stamped(&env.join("s"));
    let said = stdout(&plan(&env, &[]).code(3));
    assert!(said.contains("it is being built (resources are allocated)"), "{said}");
    assert_eq!(stamped(&env.join("s")), before);
}

#[test]
fn as_json_it_is_the_library_s_plan_and_a_rehearsal_takes_it() {
    let env = prepared();
    let answer = json_of(&plan(&env, &["--json"]).code(1));
    assert_eq!(answer["exit_code"], 1);
    let plan: Plan = serde_json::from_value(answer.clone()).unwrap();
    assert_eq!((plan.counts.done, plan.counts.adopt, plan.counts.conflict, plan.counts.refused), (1, 1, 1, 1));
    assert_eq!((plan.counts.create, plan.counts.wait), (2, 2));
    env.write("plan.json", answer.to_string());
    let rehearsed = env.command(["gsis.json", "--rehearse", "--from", "plan.json", "--json"]).assert().code(1);
    let outcomes = json_of(&rehearsed).to_string();
    assert!(outcomes.contains("airport-curfew-index") && outcomes.contains("aircraft-rotation-index"), "{outcomes}");
}

#[test]
fn what_is_exported_is_what_is_there() {
    let env = prepared();
    let args = ["--export-definitions", "--endpoint", "embedded:db.sqlite"];
    let export = |more: &[&str]| env.command(args.iter().chain(more)).assert();
    let assert = export(&["--table", "bookings", "--table", "flights", "--table", "crew"]).success().stderr("");
    env.write("gsis.json", stdout(&assert));
    let plan: Plan = serde_json::from_value(json_of(&plan(&env, &["--json"]).code(3))).unwrap();
    let verdicts: Vec<_> = plan.indexes().map(|(_, index)| (index.index.as_str(), index.verdict.as_str())).collect();
    assert_eq!(
        verdicts,
        [
            ("passenger-index", "done"),
            ("by-gate", "adopt"),
            ("aircraft-rotation-index", "wait"),
            ("crew-duty-date-index", "adopt")
        ]
    );
    refused(export(&["--table", "crew", "--table", "nowhere"]), 1, &["could not describe the table `nowhere`"]);
    refused(export(&[]), 64, &["no table is named", "hint: say `--export-definitions --table NAME`"]);
}

#[test]
fn a_template_names_its_tables_or_is_told_how() {
    let template = "Resources:
  BookingsTable:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub '${Stage}-bookings'
      AttributeDefinitions: [{ AttributeName: flight, AttributeType: S }]
      GlobalSecondaryIndexes:
        - IndexName: by-flight
          KeySchema: [{ AttributeName: flight, KeyType: HASH }]
          Projection: { ProjectionType: ALL }
";
    let env = env();
    env.write("template.yaml", template);
    let args = ["template.yaml", "--endpoint", "embedded", "--state-dir", "s", "--embedded-times", "1ms,1ms,1ms"];
    let create = |more: &[&str]| env.command(args.iter().chain(more)).assert();
    let told = stderr(&create(&[]).code(65));
    insta::assert_snapshot!(told, @"
    error: template.yaml:5:23: Resources.BookingsTable.Properties.TableName: the name of the table `BookingsTable` is computed by `Fn::Sub`, which is not known here

    hint: say what the tables are called: `--table-name BookingsTable=NAME`
    ");
    let made = create(&["--table-name", "BookingsTable=prod-bookings", "--json"]).success();
    assert_eq!(json_of(&made)["indexes"][0]["table"], "prod-bookings");
    create(&["--table-name", "BookingsTable"]).code(64);
}

#[test]
fn the_examples_can_be_run() {
    for name in ["priority1.json", "priority1.yaml", "priority2.json", "priority3.json"] {
        let env = env();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/gsis").join(name);
        env.write(name, fs_err::read(path).unwrap());
        let args = [name, "--endpoint", "embedded", "--state-dir", "s", "--embedded-times", "1ms,1ms,1ms"];
        let said = stdout(&env.command(args).assert().success());
        assert!(said.contains(" indexes active after "), "{name}: {said}");
    }
}
