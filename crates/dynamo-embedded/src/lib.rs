//! DynamoDB in this process, with the life cycle of global secondary indexes.
//!
//! For rehearsals, for tests, and as the endpoint that needs neither account nor network. The AWS
//! SDK talks to it through an HTTP client without a socket; the data lives in memory or in an
//! SQLite file that several processes may share.
//!
//! ```
//! use std::{sync::{Arc, Mutex}, time::{Duration, SystemTime}};
//! use aws_sdk_dynamodb::types::{
//!     AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndexUpdate,
//!     IndexStatus, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
//! };
//! use dynamo_embedded::{EmbeddedDynamo, IndexAction};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Time stands still until we move it.
//! let time = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH));
//! let hand = Arc::clone(&time);
//! let dynamo = EmbeddedDynamo::builder()
//!     .times("30s,8m,5s".parse()?)
//!     .clock(Arc::new(move || *hand.lock().unwrap()))
//!     .faults("UpdateTable#1=lost".parse()?)
//!     .open()?;
//! let client = dynamo.client();
//!
//! let attribute = |name: &str| {
//!     AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
//! };
//! let hash = |name: &str| {
//!     KeySchemaElement::builder().attribute_name(name).key_type(KeyType::Hash).build()
//! };
//! client.create_table().table_name("bookings").billing_mode(BillingMode::PayPerRequest)
//!     .attribute_definitions(attribute("id")?).key_schema(hash("id")?).send().await?;
//!
//! let create = CreateGlobalSecondaryIndexAction::builder().index_name("by-flight").key_schema(hash("flight")?)
//!     .projection(Projection::builder().projection_type(ProjectionType::All).build()).build()?;
//! let update = client.update_table().table_name("bookings").attribute_definitions(attribute("flight")?)
//!     .global_secondary_index_updates(GlobalSecondaryIndexUpdate::builder().create(create).build());
//! assert!(update.send().await.is_err()); // the script loses this answer …
//!
//! let status = async || -> Result<_, aws_sdk_dynamodb::Error> {
//!     let table = client.describe_table().table_name("bookings").send().await?;
//!     Ok(table.table().and_then(|t| t.global_secondary_indexes()[0].index_status().cloned()))
//! };
//! assert_eq!(status().await?, Some(IndexStatus::Creating)); // … of a call that took effect
//! *time.lock().unwrap() += Duration::from_secs(9 * 60);
//! assert_eq!(status().await?, Some(IndexStatus::Active));
//!
//! let calls = dynamo.calls()?;
//! let creates = calls.iter().filter(|c| c.action == Some(IndexAction::Create) && c.outcome.took_effect());
//! assert_eq!(creates.count(), 1);
//! # Ok(()) }
//! ```
//!
//! # What it does as the service does
//!
//! The engine under it, dynoxide, stores items and answers queries; this crate adds what the engine
//! lacks (each row is a conformance test in `tests/it`, with its source):
//!
//! - **Phases.** An added index is CREATING, first with `Backfilling` false and the table UPDATING,
//!   then with `Backfilling` true and the table ACTIVE; ACTIVE leaves `Backfilling` out. A deleted
//!   index is DELETING for a while. [`Times`] sets how long.
//! - **Refusals** with the service's codes and texts: a second index operation on a table, deleting
//!   an index that is being allocated, reading one that is not ACTIVE, deleting a busy table, the
//!   21st index, throughput that does not fit the billing mode, what may not share a call, …
//! - **Silences.** An attribute that the table already defines keeps its type, whatever a new index
//!   says; items whose key has the wrong type, is empty or too long are left out of a new index.
//!   Neither is an error at the service, so neither is one here.
//!
//! # Promises
//!
//! 1. What a call changes and its row in the [ledger](EmbeddedDynamo::calls) are one SQLite
//!    transaction: after `kill -9` at any moment, both are there or neither.
//! 2. Phases follow from stored times and the clock; nothing runs in the background. An index that
//!    was CREATING when a process died goes on and becomes ACTIVE.
//! 3. Several processes may use one file at once, and each sees the others' changes.
//! 4. A file that this crate did not write is refused and left as it was.
//!
//! The file survives the death of a process, not loss of power: nothing is flushed to the disk.
//!
//! Measured (release build, file): open 4 ms, 1000 `PutItem` 68 ms, 200 `DescribeTable` 17 ms, each
//! with its row in the ledger.
//!
//! # For rehearsals
//!
//! [`Seed`] makes a table look like another one, in size and in the time that its indexes take;
//! [`EmbeddedDynamo::set_faults`] begins a script when everything is in place, and
//! [`EmbeddedDynamo::strikes`] tells what came of it. On a clock that jumps, polling is all that a
//! rehearsal costs: [`EmbeddedDynamo::next_change`] and [`EmbeddedDynamo::pass_unchanged_look`] spare it.
//!
//! # What is absent
//!
//! Transactions, streams, TTL, tags, `PartiQL`, vector indexes, backups, resource policies (unknown
//! operations answer `UnknownOperationException`); throttling by capacity; the second or two that a
//! new table is CREATING and an index is UPDATING after a change of its throughput; the quota of 100
//! projected attributes over all indexes of a table; the ~6 h staleness of item counts. A write that violates
//! the key of an index is refused from the moment the index is created, not from the moment it is
//! ACTIVE.

mod answer;
mod calls;
mod connector;
mod control;
mod embedded;
mod engine;
mod error;
mod faults;
mod lifecycle;
mod rules;
mod seed;
mod service;
mod store;
mod times;
mod violations;

pub use calls::{Call, IndexAction, Outcome};
pub use embedded::{Builder, Clock, EmbeddedDynamo};
pub use error::EmbeddedError;
pub use faults::{FaultPlan, FaultPlanError};
pub use seed::Seed;
pub use times::{Times, TimesError};
