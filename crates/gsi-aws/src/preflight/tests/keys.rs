//! Values row by row: which can be keys of an index.

use super::*;

#[test]
fn values_that_can_be_keys_and_values_that_cannot() {
    use AttributeType as T;
    use KeyRole::{Hash, Range};
    let s = |text: &str| AttributeValue::String(text.to_owned());
    let x = |count: usize| AttributeValue::String("x".repeat(count));
    let n = |digits: &str| AttributeValue::Number(digits.to_owned());
    let b = |count: usize| AttributeValue::Binary(vec![7; count]);
    let check = |value: AttributeValue, wanted, role, expect: &str| {
        let said = violation(&value, wanted, role).map_or("fits".to_owned(), |violation| violation.to_string());
        assert_eq!(said, expect, "{value:?} as {wanted} {role}");
    };
    check(s("LH1"), T::String, Hash, "fits");
    check(s(" "), T::String, Hash, "fits"); // a blank is a byte
    check(s("\0"), T::String, Range, "fits");
    check(s(""), T::String, Hash, "is empty");
    check(s(""), T::String, Range, "is empty");
    check(x(2048), T::String, Hash, "fits");
    check(x(2049), T::String, Hash, "has 2049 bytes, more than 2048");
    check(x(1024), T::String, Range, "fits");
    check(x(1025), T::String, Range, "has 1025 bytes, more than 1024");
    check(s(&"ä".repeat(1024)), T::String, Hash, "fits"); // 2048 bytes: bytes count, not characters
    check(s(&"ä".repeat(1025)), T::String, Hash, "has 2050 bytes, more than 2048");
    check(s(&"🦀".repeat(257)), T::String, Range, "has 1028 bytes, more than 1024");
    check(n("1"), T::String, Hash, "is of type N, not S");
    check(n("0"), T::Number, Hash, "fits"); // zero is not empty
    check(n("-9.9999999999999999999999999999999999999E+125"), T::Number, Range, "fits");
    check(n(&"9".repeat(3000)), T::Number, Range, "fits"); // the digits are not the bytes
    check(s("1"), T::Number, Hash, "is of type S, not N");
    check(s(""), T::Number, Hash, "is of type S, not N"); // the type comes first
    check(b(1), T::Binary, Hash, "fits");
    check(b(0), T::Binary, Hash, "is empty");
    check(b(2048), T::Binary, Hash, "fits");
    check(b(2049), T::Binary, Hash, "has 2049 bytes, more than 2048");
    check(b(1025), T::Binary, Range, "has 1025 bytes, more than 1024");
    check(b(1), T::String, Hash, "is of type B, not S");
    for kind in ["BOOL", "NULL", "L", "M", "SS", "NS", "BS"] {
        check(AttributeValue::Other(kind), T::String, Hash, &format!("is of type {kind}, not S"));
    }
}

#[test]
fn a_violation_counts_even_beside_a_missing_key() {
    let spec = &specs()[0];
    let check = |flight: Option<AttributeValue>, at: Option<AttributeValue>, expect: Standing| {
        let values = [("flight", flight), ("at", at)].into_iter();
        let item: Item = values.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        assert_eq!(standing(&item, spec), expect);
    };
    let violates = |attribute: &str, violation| Standing::Violates { attribute: attribute.to_owned(), violation };
    let (text, number) =
        (|| Some(AttributeValue::String("a".to_owned())), || Some(AttributeValue::Number("1".to_owned())));
    let wrong = |found: &str, wanted: &str| Violation::WrongType { found: found.to_owned(), wanted: wanted.to_owned() };
    check(text(), number(), Standing::Fits);
    check(text(), None, Standing::Sparse);
    check(None, number(), Standing::Sparse);
    check(None, None, Standing::Sparse);
    check(None, text(), violates("at", wrong("S", "N")));
    check(number(), None, violates("flight", wrong("N", "S")));
    check(number(), text(), violates("flight", wrong("N", "S")));
}
