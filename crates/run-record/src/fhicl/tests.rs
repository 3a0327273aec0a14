//! The parser against hand-written expectations; the genuine probe table is in `tests/it`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

/// The stored `main` of a text that must be accepted, as compact JSON, and the extensions used.
fn main_of(text: &str) -> (String, Vec<Extension>) {
    let parsed = Document::parse_reporting("t.fcl", text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let data = serde_json::to_string(parsed.document.to_data().get("main").unwrap()).unwrap();
    (data, parsed.extensions.into_iter().collect())
}

fn accepts(text: &str, expect: &str) {
    assert_eq!(main_of(text), (expect.to_owned(), vec![]), "{text:?}");
}

fn extends(extension: Extension, text: &str, expect: &str) {
    assert_eq!(main_of(text), (expect.to_owned(), vec![extension]), "{text:?}");
}

fn refuses(text: &str, line: usize, column: usize) {
    let error = Document::parse("t.fcl", text).expect_err(text);
    assert_eq!((error.line, error.column), (line, column), "{text:?}: {error}");
}

fn kind_of(text: &str) -> Option<AtomKind> {
    match &Document::parse("t.fcl", &format!("a: {text}\n")).ok()?.main.entries[0].item.value {
        Value::Atom { kind, .. } => Some(*kind),
        _ => None,
    }
}

#[test]
fn atoms_have_the_genuine_types() {
    use AtomKind::{Bool, Complex, Nil, Number, Unquoted};
    let check = |kind: Option<AtomKind>, words: &str| {
        for word in words.split_whitespace() {
            assert_eq!(kind_of(word), kind, "{word}");
        }
    };
    check(
        Some(Number),
        "0 42 007 -7 +5 3.14 1. .5 1.e5 1e3 1E-3 -.5e+7 1e99999999999 0x1F 0XaB 0b101 0B1 infinity +infinity -infinity 42#c 42//c",
    );
    check(Some(Bool), "true false");
    check(Some(Nil), "@nil");
    check(Some(Complex), "(1,2) (-1.5,0x1F) (infinity,-infinity)");
    check(
        Some(Unquoted),
        "True nan word _w v3_13_00 9d38ab 1e 0x 0x1G 0b2 1e5e5 e5 true#c @nil#c @local::a.b @id::0f @erase . .. :x foo@bar foo@bar.com",
    );
    check(
        None,
        "bare-word /path a/b v1.2 1.2.3 1e+ - + 1-2 -0x1F a.b a:b a[1] 1;2 $x %x a=b @local::a[1] ( (1) (1,2 (1,x) 12:3 1234-5-6",
    );
}

#[test]
fn sequences_and_tables() {
    accepts(
        "a: [1, 2.50, \"three\", four, [5, 6], {x: 7 y: \"8\"}, @nil, true]",
        r#"{"a":["1","2.50","three","four",["5","6"],{"x":"7","y":"8"},"@nil","true"]}"#,
    );
    accepts("a: [,1]", r#"{"a":["1"]}"#); // the genuine grammar has it so
    accepts("a: 1 b: 2 c: [1] d: {x:1}", r#"{"a":"1","b":"2","c":["1"],"d":{"x":"1"}}"#);
    accepts("a . b : 1", r#"{"a.b":"1"}"#);
    accepts("a:\n# c\n1", r#"{"a":"1"}"#);
    refuses("a: [1,]", 1, 7);
    refuses("a: [1 2]", 1, 7);
    refuses("a: {b: 1, c: 2}", 1, 9);
    refuses("a: {b.c: 1}", 1, 5);
    refuses("a: {\n", 2, 1);
    refuses("a: [1,2]\na[1]: 5\n", 2, 1);
    refuses("a 1", 1, 1);
    refuses("\"a\": 1", 1, 1);
    refuses("x: 1\n  y: /tmp", 2, 6);
    refuses(&format!("a: {}", "[".repeat(100)), 1, 54);
}

#[test]
fn duplicates_stay_at_the_top_and_win_inside() {
    accepts("a: 1 a: 2", r#"{"a":"1","a":"2"}"#);
    accepts("t: {a: 1 b: 2 a: 3}", r#"{"t":{"a":"3","b":"2"}}"#);
    let many = (0..40).map(|n| format!("k{n}: {n}")).collect::<Vec<_>>().join(" ");
    let (data, _) = main_of(&format!("t: {{ {many} k3: new }}"));
    assert!(data.contains(r#""k2":"2","k3":"new","k4":"4""#), "{data}");
}

#[test]
fn protections_are_kept_and_enforced() {
    accepts("a @protect_ignore: 5 a: 6", r#"{"a":"5","a":"6"}"#);
    accepts("t: {a @protect_ignore: 5 a: 6}", r#"{"t":{"a":"5"}}"#);
    accepts("t @protect_ignore: {a @protect_error: 5}", r#"{"t":{"a":"5"}}"#);
    refuses("t: {a @protect_error: 5 a: 6}", 1, 25);
    refuses("t: {a: 5 a @protect_error: 6}", 1, 10);
    refuses("t @protect_error: {a @protect_ignore: 5}", 1, 19);
    refuses("a @protect_ignore : 5", 1, 1);
}

#[test]
fn strings_keep_their_escapes() {
    accepts(r#"a: "x \"y\" \\ \n \t \'z""#, r#"{"a":"x \\\"y\\\" \\\\ \\n \\t \\'z"}"#);
    accepts("a: \"x\ty\nz\"", r#"{"a":"x\ty\nz"}"#);
    accepts(r"a: 'C:\new\'", r#"{"a":"C:\\new\\"}"#);
    accepts("a: \"x\r\ny\"", r#"{"a":"x\ny"}"#);
    refuses("a: \"\\u00e9\"", 1, 5);
    refuses("a: \"x\\ry\"", 1, 6);
    refuses("a: \"x\u{1}y\"", 1, 6);
    refuses("a: '\u{7f}'", 1, 5);
    refuses("a: \"end\\\\\"\nb: 1", 1, 4);
    refuses("a: \"x\"y", 1, 7);
    refuses("a: 'open", 1, 4);
}

#[test]
fn prologs_come_first() {
    let parse = |text: &str| Document::parse("t.fcl", text);
    let document = parse("BEGIN_PROLOG p: 1 q: 2 p: 3 END_PROLOG BEGIN_PROLOG r: 4 END_PROLOG p: 5").unwrap();
    let keys: Vec<_> = document.prolog.entries.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["q", "p", "r"], "a binding of the main part removes one of the prolog");
    assert!(parse("BEGIN_PROLOG p: 1").is_err());
    assert!(parse("a: 1 BEGIN_PROLOG p: 1 END_PROLOG").is_err());
    assert!(parse("#include \"x.fcl\"\nBEGIN_PROLOG p: 1 END_PROLOG").is_err());
}

#[test]
fn comments_go_to_the_line_of_the_value() {
    let document = Document::parse("t.fcl", "# one\na: 1 # two\nb:\n# three\n2\n// four\nc: [1 # five\n]\n").unwrap();
    let item = |key: &str| document.main.get(key).unwrap();
    assert_eq!((item("a").comment.as_str(), item("a").annotation.as_deref()), ("# one", Some("# two")));
    assert_eq!((item("b").comment.as_str(), item("b").annotation.as_deref()), ("# three", Some("")));
    assert_eq!((item("c").comment.as_str(), item("c").annotation.as_deref()), ("", Some("# five")));
}

#[test]
fn includes_become_keys() {
    let rest = " ".repeat(20);
    accepts(
        &format!("#include \"a.fcl\"\n# #include \"old\"\n  #include 'b.fcl'\na: {{ #include \"c\"\n}}{rest}{rest}"),
        r#"{"fhicl_pound_include_0":"a.fcl","fhicl_pound_include_2":"b.fcl","a":{"fhicl_pound_include_3":"c"}}"#,
    );
    extends(Extension::IncludeText, "# see #include in the guide\na: 1\n", r#"{"a":"1"}"#);
    extends(Extension::IncludeText, "s: \"#include <stdio.h>\"", r##"{"s":"#include <stdio.h>"}"##);
    extends(
        Extension::IncludeText,
        "#include \"a\"\n#include \"b\"\n",
        r#"{"fhicl_pound_include_0":"a","fhicl_pound_include_1":"b"}"#,
    );
    refuses("a: 1\n#include\"x.fcl\"\n", 2, 1);
}

#[test]
fn extensions_only_add() {
    extends(Extension::EmptyText, "", "{}");
    extends(Extension::ComplexWithBlanks, "a: ( 1.5 ,\n -2.5 )", r#"{"a":"(1.5,-2.5)"}"#);
    extends(Extension::SecondTable, "a: {x: 1} a: {y: 2}", r#"{"a":{"x":"1"},"a":{"y":"2"}}"#);
    extends(Extension::SecondTable, "a: [1] a: [{x: 1}, 2]", r#"{"a":["1"],"a":[{"x":"1"},"2"]}"#);
    accepts(
        "a: [1, {x: 2}] a: [3, {x: 4}] b: {x: 1} b: {x: 2}",
        r#"{"a":["1",{"x":"2"}],"a":["3",{"x":"4"}],"b":{"x":"1"},"b":{"x":"2"}}"#,
    );
    extends(Extension::CommentOnlyText, "# only", "{}");
    extends(Extension::NonAscii, "# café\nÄ: \"µ\" w: naïve", r#"{"Ä":"µ","w":"naïve"}"#);
    extends(Extension::NonAscii, "\u{feff}a: 1", r#"{"a":"1"}"#);
    extends(
        Extension::TableReference,
        "@table::p.q[1]\na: { @table::r x: 1 }",
        r#"{"@table::p.q[1]":"","a":{"@table::r":"","x":"1"}}"#,
    );
    for word in [
        "10.226.9.16",
        "10.226.9.16:8080",
        "00:1a:2B:3c:4d:5e",
        "12:34:56",
        "1:05",
        "12:34:56.789",
        "2024-03-13",
        "2024-03-13T03:20:00Z",
        "2024-03-13T03:20:00.5-06:00",
    ] {
        extends(Extension::AddressOrTime, &format!("a: {word}//c"), &format!(r#"{{"a":"{word}"}}"#));
    }
    refuses("a\u{a0}: 1", 1, 1);
}

#[test]
fn the_error_shows_the_place() {
    let error = Document::parse("boot.fcl", "a: 1\nhöst: /tmp/x\n").unwrap_err();
    let expect = "`boot.fcl` line 2 column 7: expected a value; a text with other characters than letters, digits and `_` needs quotes\n  höst: /tmp/x\n        ^";
    assert_eq!(error.to_string(), expect);
    let long = Document::parse("t.fcl", &format!("a: \"{}\" b: -\n", "x".repeat(500))).unwrap_err();
    assert!(long.excerpt.chars().count() <= 100 && long.excerpt.chars().nth(long.caret - 1) == Some('-'), "{long}");
}

#[test]
fn what_is_printed_is_what_the_genuine_export_prints() {
    let check =
        |text: &str, expect: &str| assert_eq!(Document::parse("t.fcl", text).unwrap().to_text(), expect, "{text:?}");
    check("a: [1, [2] # c\n, 3]", "\na: [1, [2] # c\n, 3] # c\n");
    check("a @protect_error: { b: 1 }", "\na @protect_error: {\n\nb: 1 \n\n}");
    check("BEGIN_PROLOG\np: 1\nEND_PROLOG\n", "BEGIN_PROLOG\n\np: 1 \n\nEND_PROLOG\n");
    check("#include \"m.fcl\"\na: 1\n", " \n#include \"m.fcl\" \n\na: 1 \n");
    check("\n# b\n\n// d\n", "\n# b\n\n// d\n");
    // The second binding of a name borrows the comments of the first, as in the genuine export, but never its quotes.
    check("a: 1 # one\na: 2 # two\na: \"x\" # three", "\na: 1 # one\n\na: 2 # one\n# two\na: \"x\" # three\n");
    check(
        "t: {\nx: 1 # one\n}\nt: {\nx: 2 # two\ny: 3 # yes\n}",
        "\nt: {\n\nx: 1 # one\n\n}\nt: {\n\nx: 2 # one\n# two\ny: 3 # yes\n\n}",
    );
    check("s: [1] s: [2, \"b\"]", "\ns: [1] \n\ns: [2, \"b\"] \n");
    check("@table::p # c\na: 1", "\n@table::p # c\n# c\na: 1 \n");
}

#[test]
fn a_second_table_is_readable_by_the_genuine_look_up() {
    let document = Document::parse("t.fcl", "a: {x: {p: 1}} a: {x: {q: 2} y: [3]}").unwrap();
    let metadata = document.to_metadata();
    // The genuine export looks every key up in the first member of that name.
    let first = metadata.get("main").unwrap().get("children").unwrap().get("a").unwrap().get("children").unwrap();
    assert!(first.get("x").unwrap().get("children").unwrap().get("q").is_some());
    assert_eq!(first.get("y").unwrap().get("type").unwrap().as_str(), Some("sequence"));
    let read = Document::from_stored(&document.to_data(), &metadata, &document.to_comments()).unwrap();
    assert_eq!(read, document);
}

#[test]
fn bindings_of_different_kinds_are_stored_and_printed() {
    for text in
        ["\na: 1 \n\na: {\n\ny: 2 \n\n}", "\na: {\n\nx: 1 \n\n}\na: {\n\nx: [2] \n\n}", "\na: [1] \n\na: \"x\" \n"]
    {
        let document = Document::parse("t.fcl", text).unwrap();
        assert_eq!(document.to_text(), text);
        let read = Document::from_stored(&document.to_data(), &document.to_metadata(), &document.to_comments());
        assert_eq!(read.unwrap(), document);
    }
}

#[test]
fn a_table_reference_is_read_as_the_genuine_export_writes_it() {
    let ours = Document::parse("t.fcl", "@table::p\na: { @table::q\n}").unwrap();
    assert_eq!(Document::parse("t.fcl", "\n@table::p:  \n\na: {\n\n@table::q:  \n\n}").unwrap(), ours);
    assert_eq!(Document::parse("t.fcl", &ours.to_text()).unwrap(), ours);
}

#[test]
fn a_damaged_document_is_refused_and_a_type_may_be_missing() {
    let json = |text: &str| serde_json::from_str::<crate::json::Json>(text).unwrap();
    let read = |data: &str, metadata: &str| Document::from_stored(&json(data), &json(metadata), &json("[]"));
    assert_eq!(read(r#"{"prolog":{}}"#, "{}").unwrap_err().path, "document.data.main");
    let document = read(r#"{"prolog":{},"main":{"a":"x","n":null}}"#, "{}").unwrap_err();
    assert_eq!(document.path, "document.data.main.n");
    let document = read(r#"{"prolog":{},"main":{"a":"x y","b":[1,true]}}"#, "{}").unwrap();
    assert_eq!(document.to_text(), "\na: \"x y\" \n\nb: [\"1\", \"true\"] \n");
}

#[test]
fn the_deepest_document_is_readable_by_common_json_readers() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let text = format!("k: {}1{}", open.repeat(NESTING_MAX), close.repeat(NESTING_MAX));
        let document = Document::parse("t.fcl", &text).unwrap();
        let stored =
            format!(r#"{{"document":{{"metadata":{}}}}}"#, serde_json::to_string(&document.to_metadata()).unwrap());
        assert!(serde_json::from_str::<serde_json::Value>(&stored).is_ok());
        refuses(&format!("k: {open}{}", &text[3..]), 1, 4 + open.len() * NESTING_MAX);
    }
}

#[test]
fn an_include_is_printed_once_though_a_binding_stands_behind_it() {
    let document = Document::parse("t.fcl", "#include \"a.fcl\" b: 1\n").unwrap();
    let printed = document.to_text();
    assert_eq!(printed, " \n#include \"a.fcl\" \n\nb: 1 \n");
    assert_eq!(Document::parse("t.fcl", &printed).unwrap().to_data(), document.to_data());
}

#[test]
fn line_numbers_cannot_make_a_text_of_any_size() {
    let json = |text: &str| serde_json::from_str::<crate::json::Json>(text).unwrap();
    let comment = |n: u64| format!(r##"{{"linenum":{},"value":"#"}}"##, n * 100_000);
    let comments: Vec<_> = (1..=1000).map(comment).collect();
    let data = json(r#"{"prolog":{},"main":{}}"#);
    let document = Document::from_stored(&data, &json("{}"), &json(&format!("[{}]", comments.join(",")))).unwrap();
    assert_eq!(document.to_text().len(), 10_000 + 2 * 1000);
}

#[test]
fn a_name_that_looks_like_an_includes_keeps_its_value() {
    for text in
        ["\nfhicl_pound_include_: 3200 \n", "\nfhicl_pound_included: \"x\" \n", "\nfhicl_pound_include_0: [1] \n"]
    {
        assert_eq!(Document::parse("t.fcl", text).unwrap().to_text(), text);
    }
}

#[test]
fn an_include_keeps_the_quotes_that_its_name_needs() {
    let check = |text: &str, expect: &str| {
        let document = Document::parse("t.fcl", text).unwrap();
        assert_eq!(document.to_text(), expect);
        assert_eq!(Document::parse("t.fcl", expect).unwrap().to_data(), document.to_data());
    };
    check("#include 'a.fcl'\n", " \n#include \"a.fcl\" \n");
    check("#include 'a\\.fcl'\n", " \n#include 'a\\.fcl' \n");
    check("#include 'a\"b'\n", " \n#include 'a\"b' \n");
}

#[test]
fn a_comment_that_moves_to_a_line_of_its_own_is_still_one() {
    let check = |text: &str, expect: &str| {
        let document = Document::parse("t.fcl", text).unwrap();
        assert_eq!(document.to_text(), expect);
        assert_eq!(Document::parse("t.fcl", expect).unwrap().to_data(), document.to_data());
    };
    check("a: 1 #includes\nb: 2\n", "\na: 1 #includes\n #includes\nb: 2 \n");
    check(" #includes\n", " #includes\n");
}
