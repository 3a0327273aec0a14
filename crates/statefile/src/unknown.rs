//! Fields that this program does not know, kept to the letter.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::value::RawValue;

/// The fields of a JSON object in their order, with none lost where a name stands twice.
#[derive(Debug, Clone, Default)]
pub struct Fields<T>(pub Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fields<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
            type Value = Fields<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Fields<T>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = object.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Fields(pairs))
            }
        }

        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

/// The fields of a JSON object that a program does not know.
///
/// A newer program, or a person, may have added them; they survive a rewrite with the very text
/// that they had (numbers beyond 64 bits and the order of nested keys included).
///
/// ```
/// use statefile::UnknownFields;
/// let fields = UnknownFields::of(r#"{"known": 1, "note": {"b": 1.50, "a": 2}}"#, &["known"]).unwrap();
/// assert_eq!(fields.names().collect::<Vec<_>>(), ["note"]);
/// assert_eq!(fields.get("note"), Some(r#"{"b": 1.50, "a": 2}"#));
/// ```
#[derive(Debug, Clone, Default)]
pub struct UnknownFields(Vec<(String, Box<RawValue>)>);

impl UnknownFields {
    /// The fields of the JSON object `object` whose names are not in `known`, in their order.
    ///
    /// # Errors
    ///
    /// When `object` is not a JSON object. Positions in the error count from the start of `object`.
    pub fn of(object: &str, known: &[&str]) -> Result<Self, serde_json::Error> {
        let Fields(mut fields) = serde_json::from_str(object)?;
        fields.retain(|(name, _): &(String, _)| !known.contains(&name.as_str()));
        Ok(Self(fields))
    }

    /// Writes the fields into an object that is being serialized, after the known ones.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize_into<M: SerializeMap>(&self, object: &mut M) -> Result<(), M::Error> {
        self.0.iter().try_for_each(|(name, value)| object.serialize_entry(name, value))
    }

    /// The names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The JSON text of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.get())
    }
}

impl PartialEq for UnknownFields {
    fn eq(&self, other: &Self) -> bool {
        let texts = |fields: &Self| -> Vec<(String, String)> {
            fields.0.iter().map(|(name, value)| (name.clone(), value.get().to_owned())).collect()
        };
        texts(self) == texts(other)
    }
}

impl Eq for UnknownFields {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use serde::Serializer as _;

    use super::*;

    #[test]
    fn unknown_fields_are_written_as_they_were_and_equal_to_the_letter() {
        let fields = |object: &str| UnknownFields::of(object, &["known"]).unwrap();
        let note = fields(r#"{"known": 1, "b": {"y": 1.50, "x": 2}, "a": 18446744073709551616}"#);
        let mut text = Vec::new();
        let mut serializer = serde_json::Serializer::new(&mut text);
        let mut object = serializer.serialize_map(None).unwrap();
        note.serialize_into(&mut object).unwrap();
        SerializeMap::end(object).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, r#"{"b":{"y": 1.50, "x": 2},"a":18446744073709551616}"#);
        for (other, is_equal) in [
            (text.as_str(), true),
            (r#"{"b":{"y": 1.5, "x": 2},"a":18446744073709551616}"#, false),
            (r#"{"a":18446744073709551616,"b":{"y": 1.50, "x": 2}}"#, false),
            (r#"{"b":{"y": 1.50, "x": 2}}"#, false),
        ] {
            assert_eq!(note == fields(other), is_equal, "{other}");
        }
        assert!(UnknownFields::of("[1]", &[]).unwrap_err().to_string().contains("expected an object"));
    }
}
