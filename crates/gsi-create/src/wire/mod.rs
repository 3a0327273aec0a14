//! From the command line to a connected DynamoDB.

mod clock;
mod embedded;
mod look;
mod metrics;
mod rehearsal;

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Builder, ProvideCredentials};
use gsi_aws::{sdk::SdkIndexApi, spec::Definitions};
use terminal::Printer;

use self::embedded::ITEMS;
pub(crate) use self::{
    clock::{RunClock, runtime, throttle},
    look::{connect_to_look, until_a_signal},
    metrics::{metrics, watch_progress},
    rehearsal::RehearsalStage,
};
use crate::{
    cli::{Cli, Endpoint},
    exit::{Exit, Failure},
};

const TRY_IT: &str = "to try gsi-create without an account, add `--endpoint embedded`";

/// Connects to where the command line says; an embedded DynamoDB is given the tables it lacks.
pub(crate) async fn connect(
    cli: &Cli,
    definitions: &Definitions,
    clock: &RunClock,
    printer: Printer,
) -> Result<Arc<SdkIndexApi>, Failure> {
    let made =
        |table: &str| printer.comment(format_args!("embedded: made the table `{table}` with {ITEMS} sample items"));
    let config = match &cli.endpoint {
        Some(Endpoint::Memory) => embedded::open(cli, None, definitions, clock, &made).await?,
        Some(Endpoint::File(path)) => embedded::open(cli, Some(path), definitions, clock, &made).await?,
        Some(Endpoint::Url(url)) => from_environment(cli).await?.endpoint_url(url),
        None => from_environment(cli).await?,
    };
    Ok(Arc::new(SdkIndexApi::new(config)))
}

/// The AWS configuration of the environment and of the command line.
async fn sdk_config(cli: &Cli) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(region) = &cli.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &cli.profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

/// The AWS configuration of the environment, checked before the first call, so that its absence is
/// told once and in plain words.
async fn from_environment(cli: &Cli) -> Result<Builder, Failure> {
    let config = sdk_config(cli).await;
    if config.region().is_none() {
        let error = anyhow::anyhow!("no AWS region is configured");
        return Err(
            Failure::new(Exit::Configuration, error).hint(format!("say `--region REGION` or set AWS_REGION; {TRY_IT}"))
        );
    }
    let no_credentials = |error: anyhow::Error| {
        let hint = format!("log in (`aws sso login`), set AWS_PROFILE, or say `--profile NAME`; {TRY_IT}");
        Failure::new(Exit::Configuration, error.context("no usable AWS credentials were found")).hint(hint)
    };
    match config.credentials_provider() {
        None => return Err(no_credentials(anyhow::anyhow!("the configuration names no source of credentials"))),
        Some(provider) => {
            provider.provide_credentials().await.map_err(|error| no_credentials(error.into()))?;
        }
    }
    Ok(Builder::from(&config))
}
