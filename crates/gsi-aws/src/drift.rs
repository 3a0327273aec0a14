//! Every index of a table against its definitions: what `--check-status` shows. The judgement is pure.

use std::{sync::Arc, time::Duration};

use indexmap::IndexMap;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    api::{ApiError, IndexApi},
    classify::classify,
    compare::{Comparison, Difference, compare},
    describe::{IndexDescription, IndexStatus, TableDescription},
    spec::IndexSpec,
};

/// How an index of a table stands to its definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There, as defined, and it can be queried.
    Wanted,
    /// As defined, and being built.
    Building,
    /// Defined, and not there, or about to go.
    Missing,
    /// There, and another one.
    Differs(Vec<Difference>),
    /// There, and not defined. Other files may define it.
    Extra,
}

/// One index: as defined, as described, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexStanding<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its description; `None` where it is not there.
    pub index: Option<&'a IndexDescription>,
    /// How it stands to its definition.
    pub standing: Standing,
}

/// The indexes of a table: the defined ones in their order, then the others in the service's.
///
/// ```
/// # use gsi_aws::{describe::*, spec::*};
/// use gsi_aws::drift::{Standing, standings};
/// # let index = |name: &str| IndexDescription {
/// #     name: name.to_owned(), status: IndexStatus::Active, backfilling: None,
/// #     key_schema: KeySchema::new(["a"], []), projection: Projection::All,
/// #     item_count: None, size_bytes: None, provisioned: None,
/// # };
/// # let table = TableDescription {
/// #     name: "bookings".to_owned(), status: TableStatus::Active, key_schema: KeySchema::new(["id"], []),
/// #     attributes: AttributeTypes::default(), billing: Billing::OnDemand, item_count: None, size_bytes: None,
/// #     indexes: vec![index("old")],
/// # };
/// let rows = standings(&[], &table); // nothing is defined, and the table has one index
/// assert_eq!((rows[0].name, &rows[0].standing), ("old", &Standing::Extra));
/// ```
pub fn standings<'a>(specs: &'a [IndexSpec], table: &'a TableDescription) -> Vec<IndexStanding<'a>> {
    let defined = specs.iter().map(|spec| IndexStanding {
        name: &spec.name,
        index: table.index(&spec.name),
        standing: standing(spec, table),
    });
    let is_defined = |index: &&IndexDescription| specs.iter().any(|spec| spec.name == index.name);
    let others = table.indexes.iter().filter(|index| !is_defined(index));
    let others = others.map(|index| IndexStanding { name: &index.name, index: Some(index), standing: Standing::Extra });
    defined.chain(others).collect()
}

fn standing(spec: &IndexSpec, table: &TableDescription) -> Standing {
    match compare(spec, table) {
        Comparison::Missing
        | Comparison::Same { status: IndexStatus::Deleting, .. }
        | Comparison::Different { status: IndexStatus::Deleting, .. } => Standing::Missing,
        Comparison::Different { differences, .. } => Standing::Differs(differences),
        // A change of capacity does not keep it from being queried.
        Comparison::Same { status: IndexStatus::Active | IndexStatus::Updating, .. } => Standing::Wanted,
        Comparison::Same { .. } => Standing::Building,
    }
}

/// Describes tables side by side, at most `parallel_max` at once; what may pass is tried three times, `pause` apart.
/// The answers are in the order of `names`.
pub async fn describe_tables(
    api: Arc<dyn IndexApi>,
    names: impl IntoIterator<Item = String>,
    parallel_max: usize,
    pause: Duration,
) -> IndexMap<String, Result<TableDescription, ApiError>> {
    let places = Arc::new(Semaphore::new(parallel_max.max(1)));
    let mut workers = JoinSet::new();
    let mut count = 0;
    for (position, name) in names.into_iter().enumerate() {
        let (api, places) = (Arc::clone(&api), Arc::clone(&places));
        count += 1;
        workers.spawn(async move {
            // The semaphore is never closed, so waiting for a place ends with one.
            let _place = places.acquire_owned().await;
            let look = described(api.as_ref(), &name, pause).await;
            (position, name, look)
        });
    }
    let mut answers = Vec::with_capacity(count);
    while let Some(finished) = workers.join_next().await {
        match finished {
            Ok(answer) => answers.push(answer),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    answers.sort_by_key(|(position, ..)| *position);
    answers.into_iter().map(|(_, name, look)| (name, look)).collect()
}

async fn described(api: &dyn IndexApi, name: &str, pause: Duration) -> Result<TableDescription, ApiError> {
    for _ in 1..3 {
        match api.describe_table(name).await {
            Err(error) if classify(&error).passes() => {}
            done => return done,
        }
        tokio::time::sleep(pause).await;
    }
    api.describe_table(name).await
}
