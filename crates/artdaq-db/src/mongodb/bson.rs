//! JSON documents as BSON, and back: member by member in their order, equal keys included.
//!
//! Integers become Int32 where they fit and Int64 otherwise, as in the library of the genuine programs; `_id`, which is
//! `{"$oid": …}` in JSON, becomes an `ObjectId`.

use mongodb::bson::{
    RawArrayBuf, RawBson, RawDocumentBuf,
    oid::ObjectId,
    raw::{CStr, RawBsonRef, RawDocument},
};
use run_record::json::Json;

use crate::{Oid, error::DocumentProblem};

/// The largest document that a server takes.
const DOCUMENT_BYTES_MAX: usize = 16 << 20;

/// How deep a server lets documents be nested: its limit of 200, less what it reserves for itself.
const DEPTH_MAX: usize = 180;

/// The document as BSON, or why a server would not take it.
pub(super) fn encode(json: &Json) -> Result<RawDocumentBuf, String> {
    let Json::Object(members) = json else { return Err("it is no object".to_owned()) };
    let bson = document(members, 1)?;
    let bytes = bson.as_bytes().len();
    if bytes > DOCUMENT_BYTES_MAX {
        return Err(format!("it takes {bytes} bytes, of which MongoDB allows {DOCUMENT_BYTES_MAX}"));
    }
    Ok(bson)
}

fn document(members: &[(String, Json)], depth: usize) -> Result<RawDocumentBuf, String> {
    if depth > DEPTH_MAX {
        return Err(format!("its tables are nested deeper than the {DEPTH_MAX} levels that MongoDB allows"));
    }
    let mut bson = RawDocumentBuf::new();
    for (key, json) in members {
        let name = <&CStr>::try_from(key.as_str()).map_err(|_| format!("its key {key:?} contains a zero byte"))?;
        let id = if depth == 1 && key == "_id" { object_id(json) } else { None };
        bson.append(name, id.map_or_else(|| value(json, depth), |oid| Ok(RawBson::ObjectId(oid)))?);
    }
    Ok(bson)
}

fn value(json: &Json, depth: usize) -> Result<RawBson, String> {
    Ok(match json {
        Json::Null => RawBson::Null,
        Json::Bool(value) => RawBson::Boolean(*value),
        Json::Integer(value) => i32::try_from(*value).map_or(RawBson::Int64(*value), RawBson::Int32),
        Json::Decimal(value) => RawBson::Double(*value),
        Json::String(text) => RawBson::String(text.clone()),
        Json::Array(items) => {
            if depth >= DEPTH_MAX {
                return Err(format!("its lists are nested deeper than the {DEPTH_MAX} levels that MongoDB allows"));
            }
            let mut bson = RawArrayBuf::new();
            for item in items {
                bson.push(value(item, depth + 1)?);
            }
            RawBson::Array(bson)
        }
        Json::Object(members) => RawBson::Document(document(members, depth + 1)?),
    })
}

/// The id that `{"$oid": …}` stands for.
fn object_id(json: &Json) -> Option<ObjectId> {
    json.get("$oid")?.as_str()?.parse::<Oid>().ok().map(|oid| to_bson(&oid))
}

/// The document as JSON.
pub(super) fn decode(bson: &RawDocument) -> Result<Json, DocumentProblem> {
    let members = bson.iter().map(|member| {
        let (key, value) = member.map_err(|error| DocumentProblem::Bson(error.to_string()))?;
        Ok((key.as_str().to_owned(), json(key.as_str(), value)?))
    });
    members.collect::<Result<_, _>>().map(Json::Object)
}

fn json(key: &str, value: RawBsonRef<'_>) -> Result<Json, DocumentProblem> {
    Ok(match value {
        RawBsonRef::Null => Json::Null,
        RawBsonRef::Boolean(value) => Json::Bool(value),
        RawBsonRef::Int32(value) => Json::Integer(value.into()),
        RawBsonRef::Int64(value) => Json::Integer(value),
        RawBsonRef::Double(value) => Json::Decimal(value),
        RawBsonRef::String(text) => Json::from(text),
        RawBsonRef::Document(document) => decode(document)?,
        RawBsonRef::Array(items) => {
            let items = items.into_iter().map(|item| {
                let item = item.map_err(|error| DocumentProblem::Bson(error.to_string()))?;
                json(key, item)
            });
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        RawBsonRef::ObjectId(oid) => Json::Object(vec![("$oid".to_owned(), Json::String(oid.to_hex()))]),
        _ => return Err(DocumentProblem::Type(key.to_owned())),
    })
}

/// An id as the driver knows it.
#[expect(clippy::expect_used, reason = "both are 24 hexadecimal digits")]
pub(super) fn to_bson(oid: &Oid) -> ObjectId {
    ObjectId::parse_str(oid.as_str()).expect("an Oid is 24 hexadecimal digits")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn documents_keep_order_types_and_equal_keys() {
        let text = r#"{"b":"1","a.b":{"$x":[1,-5,2147483648,1.5,true,false,null,"µ \" \\",[]]},"":{},"a":1,"a":2,
            "_id":{"$oid":"0fd0971e92af4b60b2b56f30"}}"#;
        let json: Json = serde_json::from_str(text).unwrap();
        let bson = encode(&json).unwrap();
        assert_eq!(decode(&bson).unwrap(), json);
        assert!(matches!(bson.get("_id"), Ok(Some(RawBsonRef::ObjectId(_)))));
        let list = bson.get_document("a.b").unwrap().get_array("$x").unwrap();
        assert!(matches!(list.get(1), Ok(Some(RawBsonRef::Int32(-5)))));
        assert!(matches!(list.get(2), Ok(Some(RawBsonRef::Int64(2_147_483_648)))));
    }

    #[test]
    fn what_a_server_would_refuse_is_refused_with_the_reason() {
        let check = |json: Json, says: &str| {
            let problem = encode(&Json::Object(vec![("a".to_owned(), json)])).unwrap_err();
            assert!(problem.contains(says), "{problem}");
        };
        check(Json::Object(vec![("\0".to_owned(), Json::Null)]), "zero byte");
        check(Json::String("x".repeat(16 << 20)), "bytes");
        let nested = |wrap: fn(Json) -> Json| (0..181).fold(Json::Null, |inner, _| wrap(inner));
        check(nested(|inner| Json::Object(vec![("a".to_owned(), inner)])), "nested");
        check(nested(|inner| Json::Array(vec![inner])), "nested");
    }
}
