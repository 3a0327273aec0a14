//! A rehearsal: the user's definitions against an embedded DynamoDB whose tables look like the real
//! ones and whose indexes take as long, on time that jumps over the waiting.
//!
//! Nothing of the user's is touched: the state lives in a temporary directory, the tables in memory.
//! Everything between the definitions and the SDK's HTTP client is what a real run uses, except that a look
//! at a table that cannot have changed is answered without the SDK ([`looks`]).
//!
//! What is absent: capacity and throttling by load, other clients of the tables, and the items.

pub(crate) mod looks;
pub(crate) mod schedule;
pub(crate) mod sources;
pub(crate) mod times;
