//! The plan, and what a definitions file of another tool does not say.

/// What `--plan` understands, and the names that a template leaves open.
#[derive(Debug, clap::Args)]
pub(crate) struct PlanArgs {
    /// With --plan: what a million write units cost, in any currency.
    #[arg(long, value_name = "PRICE", requires = "plan", value_parser = price, help_heading = HEADING)]
    pub(crate) price_per_million_writes: Option<f64>,

    /// The name of a table whose name a CloudFormation template computes, by the logical id of its resource;
    /// may be repeated.
    #[arg(long = "table-name", value_name = "RESOURCE=TABLE", value_parser = table_name, help_heading = HEADING)]
    pub(crate) table_names: Vec<(String, String)>,
}

const HEADING: &str = "Plan and definitions";

fn price(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(price) if price.is_finite() && price >= 0.0 => Ok(price),
        _ => Err("say a price like 1.25".to_owned()),
    }
}

fn table_name(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((resource, table)) if !resource.is_empty() && !table.is_empty() => {
            Ok((resource.to_owned(), table.to_owned()))
        }
        _ => Err("say it like BookingsTable=bookings".to_owned()),
    }
}
