//! Random definitions and random texts, the examples, and the queries on definitions.

use proptest::{collection, option, prelude::*, sample};

use super::*;

const PRIORITY_1: &str = include_str!("../../../../../examples/gsis/priority1.json");
const PRIORITY_1_YAML: &str = include_str!("../../../../../examples/gsis/priority1.yaml");
const PRIORITY_2: &str = include_str!("../../../../../examples/gsis/priority2.json");
const PRIORITY_3: &str = include_str!("../../../../../examples/gsis/priority3.json");

fn units() -> impl Strategy<Value = i64> {
    prop_oneof![Just(1), Just(i64::MAX), 1..100_000i64]
}

/// A ceiling or a floor of which at least one half is given.
fn half_or_both(unit: impl Strategy<Value = i64> + Clone) -> impl Strategy<Value = (Option<i64>, Option<i64>)> {
    prop_oneof![
        unit.clone().prop_map(|a| (Some(a), None)),
        unit.clone().prop_map(|a| (None, Some(a))),
        (unit.clone(), unit).prop_map(|(a, b)| (Some(a), Some(b))),
    ]
}

/// What free text and attribute names may hold, quotes, breaks and wide characters included.
fn text(lengths: &str) -> impl Strategy<Value = String> + use<> {
    collection::vec(any::<char>(), if lengths == "name" { 1..20 } else { 0..30 }).prop_map(String::from_iter)
}

type Capacity = (Option<(i64, i64)>, Option<(Option<i64>, Option<i64>)>, Option<(Option<i64>, Option<i64>)>);

fn capacity() -> impl Strategy<Value = Capacity> {
    let ceiling = prop_oneof![Just(-1), units()].boxed();
    (option::of((units(), units())), option::of(half_or_both(ceiling)), option::of(half_or_both(units().boxed())))
}

/// An index whose key attributes come from a table-wide pool, so that their types agree.
fn spec(pool: Vec<(String, AttributeType)>) -> impl Strategy<Value = IndexSpec> {
    let keys = sample::subsequence(pool, 1..=8).prop_shuffle();
    let projection = prop_oneof![
        Just(Projection::All),
        Just(Projection::KeysOnly),
        // Five indexes of at most 20 stay within the 100 of a table.
        collection::vec(text("name"), 1..=20).prop_map(Projection::include),
    ];
    let words = (option::of(text("words")), option::of(text("words")), option::of(text("words")));
    (keys, 1..=4usize, projection, capacity(), words).prop_map(|(keys, hash, projection, capacity, words)| {
        let hash = hash.min(keys.len()).max(keys.len().saturating_sub(4));
        let names: Vec<_> = keys.iter().map(|(name, _)| name.clone()).collect();
        let (provisioned, on_demand, warm) = capacity;
        IndexSpec {
            table: String::new(),
            name: String::new(),
            key_schema: KeySchema::new(names[..hash].to_vec(), names[hash..].to_vec()),
            attributes: keys.into_iter().collect(),
            projection,
            provisioned: provisioned.map(|(read_units, write_units)| ProvisionedThroughput { read_units, write_units }),
            on_demand: on_demand
                .map(|(max_read_units, max_write_units)| OnDemandThroughput { max_read_units, max_write_units }),
            warm: warm.map(|(read_units_per_second, write_units_per_second)| WarmThroughput {
                read_units_per_second,
                write_units_per_second,
            }),
            description: words.0,
            estimated_impact: words.1,
            required_by: words.2,
        }
    })
}

fn table() -> impl Strategy<Value = Vec<IndexSpec>> {
    let kind = sample::select(vec![AttributeType::String, AttributeType::Number, AttributeType::Binary]);
    let pool = collection::btree_map(text("name"), kind, 8..=10);
    pool.prop_flat_map(|pool| {
        let pool: Vec<_> = pool.into_iter().collect();
        collection::btree_map("[a-zA-Z0-9_.-]{3,20}", spec(pool), 1..=5)
            .prop_map(|indexes| indexes.into_iter().map(|(name, spec)| IndexSpec { name, ..spec }).collect())
    })
}

fn definitions() -> impl Strategy<Value = Definitions> {
    collection::vec(("[a-zA-Z0-9_.-]{3,20}", table()), 1..4).prop_map(|tables| {
        let mut definitions = Definitions::default();
        for (table, indexes) in tables {
            let owned = |spec| IndexSpec { table: table.clone(), ..spec };
            definitions.tables.insert(table.clone(), indexes.into_iter().map(owned).collect());
        }
        definitions
    })
}

/// Order counts too, which `==` of a map does not see.
fn order(definitions: &Definitions) -> Vec<(&str, &str)> {
    definitions.iter().map(|spec| (spec.table.as_str(), spec.name.as_str())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_reads_back(definitions in definitions()) {
        for json in [serde_json::to_string(&definitions).unwrap(), serde_json::to_string_pretty(&definitions).unwrap()] {
            let parsed = parse(&json, "g.json").unwrap();
            prop_assert_eq!(&parsed.definitions, &definitions);
            prop_assert_eq!(order(&parsed.definitions), order(&definitions));
        }
    }

    /// Every format that another tool may bring says the same as ours.
    #[test]
    fn all_formats_say_the_same(definitions in definitions()) {
        let plain = foreign::plain(&definitions);
        for value in foreign::foreign(&plain) {
            prop_assert_eq!(&parse(&value.to_string(), "g.json").unwrap().definitions, &plain);
        }
        let tables: Vec<_> = plain.tables().map(|(name, specs)| foreign::table_with(name, specs)).collect();
        let answers: Vec<_> = tables.iter().map(|table| serde_json::json!({"Table": table})).collect();
        let parsed = parse(&serde_json::to_string(&answers).unwrap(), "g.json").unwrap();
        prop_assert_eq!(&parsed.definitions, &plain);
        // What is exported from the tables reads back, and finds itself in them.
        let exported = Definitions::from_specs(tables.iter().flat_map(crate::describe::TableDescription::definitions));
        prop_assert_eq!(&exported, &plain);
        let again = parse(&serde_json::to_string(&exported).unwrap(), "g.json").unwrap();
        prop_assert_eq!(&again.definitions, &plain);
        for (table, spec) in tables.iter().flat_map(|table| again.definitions.table(&table.name).unwrap().iter().map(move |spec| (table, spec))) {
            let same = matches!(crate::compare::compare(spec, table), crate::compare::Comparison::Same { .. });
            prop_assert!(same, "{spec:?}");
        }
        // Descriptions read back, too.
        let json = serde_json::to_string(&tables).unwrap();
        prop_assert_eq!(serde_json::from_str::<Vec<crate::describe::TableDescription>>(&json).unwrap(), tables);
    }

    #[test]
    fn random_bytes_never_panic(bytes in collection::vec(any::<u8>(), 0..300), path in "g\\.(json|yaml|x)") {
        let _outcome = Definitions::parse_bytes(&bytes, Path::new(&path));
    }

    /// Cut, doubled and overwritten pieces of a good file reach the rules behind the syntax.
    #[test]
    fn mangled_files_never_panic(
        edits in collection::vec((any::<sample::Index>(), any::<sample::Index>(), "[\\]\\[{}:,\"a-zN0-9\n\t&*é-]{0,4}"), 1..4),
        yaml in any::<bool>(),
    ) {
        let mut letters: Vec<char> = if yaml { PRIORITY_1_YAML } else { PRIORITY_3 }.chars().collect();
        for (start, length, text) in edits {
            let start = start.index(letters.len().max(1));
            let end = (start + length.index(12)).min(letters.len());
            letters.splice(start..end, text.chars());
        }
        let text = String::from_iter(letters);
        if let Err(error) = parse(&text, if yaml { "g.yaml" } else { "g.json" }) {
            let lines = text.split('\n').count();
            prop_assert!(error.problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
            prop_assert!(!error.problems.is_empty());
        }
    }
}

#[test]
fn the_examples_are_what_the_originals_define() {
    let shown = |text: &str, path: &str| {
        let parsed = parse(text, path).unwrap();
        assert_eq!(parsed.warnings, []);
        let line = |spec: &IndexSpec| {
            assert!(spec.description.is_some() && spec.estimated_impact.is_some() && spec.required_by.is_some());
            format!("{} {}: {}; {}", spec.table, spec.name, spec.key_schema, spec.projection)
        };
        parsed.definitions.iter().map(line).collect::<Vec<_>>()
    };
    let expect = [
        "bookings passenger-flight-index: passenger_id HASH, flight_id RANGE; ALL",
        "bookings flight-status-index: flight_id HASH, booking_status RANGE; ALL",
        "Baggage location-status-index: current_location HASH, baggage_status RANGE; ALL",
        "CrewRoster crew-duty-date-index: crew_id HASH, duty_date RANGE; ALL",
        "flights aircraft-rotation-index: aircraft_registration HASH, scheduled_departure RANGE; ALL",
        "passengers passenger-elite-tier-index: frequent_flyer_tier_id HASH, booking_date RANGE; ALL",
    ];
    assert_eq!(shown(PRIORITY_1, "priority1.json"), expect);
    let expect = [
        "flights airport-curfew-index: destination_airport_id HASH, scheduled_arrival RANGE; ALL",
        "CargoShipments cargo-temperature-index: commodity_type_id HASH, temperature_requirement RANGE; ALL",
        "MaintenanceWorkOrders aircraft-maintenance-date-index: aircraft_registration HASH, scheduled_date RANGE; ALL",
    ];
    assert_eq!(shown(PRIORITY_2, "priority2.json"), expect);
    let expect = [
        "CargoShipments cargo-value-index: commodity_type_id HASH, declared_value RANGE; ALL",
        "flights flight-revenue-index: route_id HASH, total_revenue RANGE; ALL",
    ];
    assert_eq!(shown(PRIORITY_3, "priority3.json"), expect);
}

#[test]
fn the_yaml_example_means_what_the_json_example_means() {
    let json = parse(PRIORITY_1, "priority1.json").unwrap();
    let yaml = parse(PRIORITY_1_YAML, "priority1.yaml").unwrap();
    assert_eq!(json, yaml);
    assert_eq!(order(&json.definitions), order(&yaml.definitions));
    let tier = json.definitions.attribute_types("passengers").get("frequent_flyer_tier_id");
    assert_eq!(tier, Some(AttributeType::Number));
}

#[test]
fn examples_do_not_contradict_each_other() {
    let all = [PRIORITY_1, PRIORITY_2, PRIORITY_3].map(|text| parse(text, "g.json").unwrap().definitions);
    let merged = Definitions::from_specs(all.iter().flat_map(Definitions::iter).cloned());
    let json = serde_json::to_string(&merged).unwrap();
    assert_eq!(parse(&json, "g.json").unwrap().definitions.len(), 11);
}

#[test]
fn selecting_tables() {
    let all = parse(PRIORITY_1, "priority1.json").unwrap().definitions;
    let select = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        all.select_tables(&names).map(|some| some.tables().map(|(name, _)| name.to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(select(&["flights", "bookings"]).unwrap(), ["bookings", "flights"]);
    assert_eq!(select(&[]).unwrap().len(), 5);
    let text = |names: &[&str]| select(names).unwrap_err().to_string();
    assert_eq!(
        text(&["bookings", "baggage"]),
        "no table `baggage` in the definitions, which have `bookings`, `Baggage`, `CrewRoster`, `flights`, `passengers`; did you mean `Baggage`?"
    );
    assert_eq!(
        text(&["orders"]),
        "no table `orders` in the definitions, which have `bookings`, `Baggage`, `CrewRoster`, `flights`, `passengers`"
    );
    assert_eq!(
        Definitions::default().select_tables(&["x".to_owned()]).unwrap_err().to_string(),
        "no table `x` in the definitions, which have none"
    );
}

#[test]
fn types_of_a_table_are_those_of_all_its_indexes() {
    let all = parse(PRIORITY_1, "priority1.json").unwrap().definitions;
    let types = all.attribute_types("bookings");
    let names: Vec<_> = types.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["passenger_id", "flight_id", "booking_status"]);
    assert!(all.attribute_types("nowhere").is_empty());
}
