//! Before an index is asked for: are there items that it would silently leave out?
//!
//! [`Preflight::scan`] reads a table in parallel segments, looks at the key attributes of the indexes to
//! come, and counts what violates them ([`Violation`]). A sample reads a few items from every segment; a
//! full scan reads all, may be limited in read units a second, and goes on after a kill where it was
//! ([`ProgressFile`]).
//!
//! ```
//! use std::sync::Arc;
//! use gsi_aws::{*, preflight::*, spec::*, describe::*};
//! # struct TwoItems;
//! # #[async_trait::async_trait] impl ItemApi for TwoItems {
//! #     async fn scan_page(&self, request: &ScanPage<'_>) -> Result<Page, ApiError> {
//! #         let item = |flight: AttributeValue| Item::from([
//! #             ("id".to_owned(), AttributeValue::String("b7".to_owned())), ("flight".to_owned(), flight)]);
//! #         let items = vec![item(AttributeValue::String("LH1".to_owned())), item(AttributeValue::Number("1".to_owned()))];
//! #         let is_first = request.segment.is_none_or(|(segment, _)| segment == 0);
//! #         let items = if is_first { items } else { Vec::new() };
//! #         Ok(Page { scanned: items.len() as u64, items, next_key: None, read_units: Some(0.5) })
//! #     }
//! #     async fn get_item(&self, _: &str, _: &Item, _: &[&str]) -> Result<Option<Item>, ApiError> { unimplemented!() }
//! #     async fn query_index(&self, _: &QueryIndex<'_>) -> Result<QueryAnswer, ApiError> { unimplemented!() }
//! # }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let api = Arc::new(TwoItems);
//! # let text = r#"{"bookings": [{"IndexName": "by-flight", "Projection": {"ProjectionType": "ALL"},
//! #     "KeySchema": [{"AttributeName": "flight", "KeyType": "HASH"}],
//! #     "AttributeDefinitions": [{"AttributeName": "flight", "AttributeType": "S"}]}]}"#;
//! # let definitions = Definitions::parse(text, "gsis.json".as_ref())?.definitions;
//! # let wanted: Vec<&IndexSpec> = definitions.iter().collect();
//! let bookings = ScannedTable {
//!     name: "bookings".to_owned(), key_schema: KeySchema::new(["id"], []), item_count: Some(2), size_bytes: Some(64),
//! };
//! let preflight = Preflight::new(api, PreflightOptions::default(), Arc::new(statefile::SystemClock));
//! let found = preflight.scan(&bookings, &wanted, &Default::default()).await?.expect("nobody cancelled it");
//! assert_eq!(found.indexes["by-flight"].violations(), 1);
//! assert_eq!(found.indexes["by-flight"].samples[0].violation.to_string(), "is of type N, not S");
//! # Ok(()) }
//! ```
//!
//! What is absent: anything that writes to a table, and a promise about items written after they were read.

mod budget;
mod findings;
mod key;
mod model;
mod progress;
mod scan;
#[cfg(test)]
mod tests;

pub use self::{
    findings::{IndexFindings, SAMPLES_MAX, Sample},
    key::{HASH_BYTES_MAX, RANGE_BYTES_MAX, Standing, Violation, standing, violation},
    model::{Extent, PreflightError, PreflightOptions, ScanStep, ScannedTable, TableFindings},
    progress::{PROGRESS_FILE_NAME, ProgressFile},
    scan::Preflight,
};
