//! The scan of a table: segments side by side, one budget for all, progress on disk.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use statefile::Clock;
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

mod page;

use self::page::PageSize;
use super::{
    budget::ReadBudget,
    findings::IndexFindings,
    model::{Extent, PreflightError, PreflightOptions, ScanStep, ScannedTable, TableFindings},
    progress::{ProgressFile, SegmentScan, TableScan, from_disk, question, to_disk},
};
use crate::{
    api::ApiError,
    classify::classify,
    items::{Item, ItemApi, Page, ScanPage},
    spec::IndexSpec,
};

type Tell = dyn Fn(ScanStep<'_>) + Send + Sync;

/// Scans tables for items that an index would leave out.
pub struct Preflight {
    api: Arc<dyn ItemApi>,
    options: PreflightOptions,
    clock: Arc<dyn Clock>,
    budget: Arc<ReadBudget>,
    progress: Option<ProgressFile>,
    tell: Arc<Tell>,
}

impl fmt::Debug for Preflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preflight").field("options", &self.options).finish_non_exhaustive()
    }
}

/// How often the progress is saved while pages come in.
const SAVE_INTERVAL: Duration = Duration::from_secs(2);
/// Tries of one page; the pauses between them double from [`FIRST_PAUSE`] to [`LAST_PAUSE`].
const TRIES_MAX: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LAST_PAUSE: Duration = Duration::from_secs(20);

impl Preflight {
    /// A pre-flight without memory. Must be called within a tokio runtime.
    pub fn new(api: Arc<dyn ItemApi>, options: PreflightOptions, clock: Arc<dyn Clock>) -> Self {
        let budget = Arc::new(ReadBudget::new(options.read_units_per_second));
        Self { api, options, clock, budget, progress: None, tell: Arc::new(|_| {}) }
    }

    /// Keeps the progress of full scans in `file`, and goes on with what it holds.
    #[must_use]
    pub fn with_progress(mut self, file: ProgressFile) -> Self {
        self.progress = Some(file);
        self
    }

    /// Tells `tell` of every page.
    #[must_use]
    pub fn with_steps(mut self, tell: impl Fn(ScanStep<'_>) + Send + Sync + 'static) -> Self {
        self.tell = Arc::new(tell);
        self
    }

    /// Scans a table for what violates the keys of `specs`; `None` when it is cancelled first.
    ///
    /// # Errors
    ///
    /// When the service refuses, or fails ten times in a row; or the progress cannot be saved. A full scan
    /// then goes on from the last save.
    pub async fn scan(
        &self,
        table: &ScannedTable,
        specs: &[&IndexSpec],
        cancel: &CancellationToken,
    ) -> Result<Option<TableFindings>, PreflightError> {
        let progress = self.progress.clone().filter(|_| self.options.extent == Extent::Full);
        let keys = question(specs);
        let now = self.clock.now();
        let earlier = progress.as_ref().and_then(|file| file.usable(&table.name, &keys, now));
        let fresh = || vec![SegmentScan::default(); self.options.segments.max(1) as usize];
        let scan = earlier.unwrap_or_else(|| TableScan { began_at: now, keys, segments: fresh() });
        let scanned_earlier = scan.segments.iter().map(|segment| segment.scanned).sum();
        let job = Arc::new(Job {
            api: Arc::clone(&self.api),
            budget: Arc::clone(&self.budget),
            tell: Arc::clone(&self.tell),
            page: PageSize::of(table, &self.options),
            extent: self.options.extent,
            table: table.clone(),
            specs: specs.iter().map(|spec| (*spec).clone()).collect(),
            progress,
            cancel: cancel.child_token(),
            scan: Mutex::new(scan),
            saved_at: Mutex::new(Instant::now()),
        });
        let outcome = read_segments(&job).await;
        job.save().await?;
        outcome?;
        if cancel.is_cancelled() {
            return Ok(None);
        }
        let findings = job.findings(scanned_earlier);
        if findings.indexes.values().any(|index| index.violations() > 0) {
            // Whoever repairs the items wants them looked at again.
            job.forget().await?;
        }
        Ok(Some(findings))
    }
}

/// Reads all segments side by side; the first failure stops the others.
async fn read_segments(job: &Arc<Job>) -> Result<(), PreflightError> {
    let mut segments = JoinSet::new();
    let count = job.scan().segments.len();
    for segment in 0..count {
        let job = Arc::clone(job);
        segments.spawn(async move { job.read(segment).await });
    }
    let mut outcome = Ok(());
    while let Some(finished) = segments.join_next().await {
        match finished {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                job.cancel.cancel();
                if outcome.is_ok() {
                    outcome = Err(error);
                }
            }
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }
    outcome
}

/// The scan of one table, shared by its segments.
struct Job {
    api: Arc<dyn ItemApi>,
    budget: Arc<ReadBudget>,
    tell: Arc<Tell>,
    page: PageSize,
    extent: Extent,
    table: ScannedTable,
    specs: Vec<IndexSpec>,
    progress: Option<ProgressFile>,
    cancel: CancellationToken,
    scan: Mutex<TableScan>,
    saved_at: Mutex<Instant>,
}

impl Job {
    /// Reads one segment to its end, or as far as a sample goes.
    async fn read(&self, segment: usize) -> Result<(), PreflightError> {
        loop {
            let before = self.scan().segments[segment].clone();
            let wanted = self.wanted(before.scanned);
            if before.is_finished || wanted == Some(0) {
                return Ok(());
            }
            // A key that somebody has changed in the file: this segment begins anew.
            let start_key = before.next_key.as_ref().and_then(from_disk);
            if before.next_key.is_some() && start_key.is_none() {
                self.scan().segments[segment] = SegmentScan::default();
                continue;
            }
            let limit = [self.page.limit, wanted].into_iter().flatten().min();
            let reading = self.page(segment, start_key.as_ref(), limit);
            let Some(page) = self.cancel.run_until_cancelled(reading).await else { return Ok(()) };
            self.count(segment, &page.map_err(|source| self.failed(source))?);
            self.save_now_and_then().await?;
        }
    }

    /// How many items more a segment of a sample is to read.
    fn wanted(&self, scanned: u64) -> Option<u32> {
        let Extent::Sample { items } = self.extent else { return None };
        let segments = self.scan().segments.len().max(1) as u64;
        Some(u32::try_from(items.div_ceil(segments).saturating_sub(scanned)).unwrap_or(u32::MAX))
    }

    /// Reads one page; what passes is waited for.
    async fn page(&self, segment: usize, start_key: Option<&Item>, limit: Option<u32>) -> Result<Page, ApiError> {
        let projection = self.projection();
        let count = self.scan().segments.len();
        let of_segments = u32::try_from(segment).ok().zip(u32::try_from(count).ok()).filter(|_| count > 1);
        let request = ScanPage {
            segment: of_segments,
            start_key,
            limit,
            projection: &projection,
            ..ScanPage::of(&self.table.name)
        };
        let (mut pause, mut tried) = (FIRST_PAUSE, 0);
        loop {
            tried += 1;
            let taken = self.budget.take(self.page.units).await;
            match self.api.scan_page(&request).await {
                Ok(page) => {
                    self.budget.settle(taken, page.read_units.unwrap_or(taken));
                    return Ok(page);
                }
                Err(error) if tried < TRIES_MAX && classify(&error).passes() => {
                    self.budget.settle(taken, 0.0);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LAST_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The keys of the table and of the indexes.
    fn projection(&self) -> Vec<&str> {
        let table = self.table.key_schema.elements();
        let indexes = self.specs.iter().flat_map(|spec| spec.key_schema.elements());
        let mut names: Vec<&str> = table.chain(indexes).map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn count(&self, segment: usize, page: &Page) {
        let (scanned, read_units) = {
            let mut scan = self.scan();
            let segment = &mut scan.segments[segment];
            segment.scanned += page.scanned;
            segment.read_units += page.read_units.unwrap_or(0.0);
            for spec in &self.specs {
                let findings = segment.indexes.entry(spec.name.clone()).or_default();
                page.items.iter().for_each(|item| findings.count(item, spec, &self.table.key_schema));
            }
            segment.next_key = page.next_key.as_ref().and_then(to_disk);
            segment.is_finished = page.next_key.is_none();
            let all = &scan.segments;
            (all.iter().map(|s| s.scanned).sum(), all.iter().map(|s| s.read_units).sum())
        };
        (self.tell)(ScanStep { table: &self.table.name, scanned, item_count: self.table.item_count, read_units });
    }

    async fn save_now_and_then(&self) -> Result<(), PreflightError> {
        {
            let mut saved_at = self.saved_at.lock().unwrap_or_else(PoisonError::into_inner);
            if saved_at.elapsed() < SAVE_INTERVAL {
                return Ok(());
            }
            *saved_at = Instant::now();
        }
        self.save().await
    }

    async fn save(&self) -> Result<(), PreflightError> {
        let Some(file) = &self.progress else { return Ok(()) };
        let scan = self.scan().clone();
        Ok(file.save(self.table.name.clone(), Some(scan)).await?)
    }

    async fn forget(&self) -> Result<(), PreflightError> {
        let Some(file) = &self.progress else { return Ok(()) };
        Ok(file.save(self.table.name.clone(), None).await?)
    }

    fn failed(&self, source: ApiError) -> PreflightError {
        PreflightError::Scan { table: self.table.name.clone(), source }
    }

    fn findings(&self, scanned_earlier: u64) -> TableFindings {
        let scan = self.scan();
        let mut indexes: BTreeMap<String, IndexFindings> = BTreeMap::new();
        for spec in &self.specs {
            let all = indexes.entry(spec.name.clone()).or_default();
            scan.segments.iter().filter_map(|segment| segment.indexes.get(&spec.name)).for_each(|part| all.add(part));
        }
        TableFindings {
            table: self.table.name.clone(),
            scanned: scan.segments.iter().map(|segment| segment.scanned).sum(),
            item_count: self.table.item_count,
            is_whole: scan.segments.iter().all(|segment| segment.is_finished),
            scanned_earlier,
            read_units: scan.segments.iter().map(|segment| segment.read_units).sum(),
            indexes,
        }
    }

    fn scan(&self) -> MutexGuard<'_, TableScan> {
        // Held for counting a page, which leaves it whole.
        self.scan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
