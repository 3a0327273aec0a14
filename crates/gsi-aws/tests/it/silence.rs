//! A service that takes requests and never answers.

use std::{sync::Arc, time::Duration};

use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};
use gsi_aws::{ApiError, CreateIndex, IndexApi, Operation, sdk::ANSWER_TIMEOUT, sdk::SdkIndexApi};
use tokio::time::Instant;

use crate::support::*;

#[derive(Debug, Clone)]
struct Silent;

impl HttpClient for Silent {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Silent {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_after_a_minute_with_an_unknown_outcome() {
    let world = World::new();
    let api: Arc<dyn IndexApi> = Arc::new(SdkIndexApi::new(world.dynamo.config().http_client(Silent)));
    let spec = spec("one", "aaa");
    let attributes = spec.attributes.clone();
    let request = CreateIndex { spec: &spec, throughput: None, on_demand: None, attributes };
    let check = |started: Instant, error: ApiError, expect: Operation| {
        assert!(started.elapsed() < ANSWER_TIMEOUT + Duration::from_secs(1), "{:?}", started.elapsed());
        assert!(matches!(error, ApiError::NoAnswer { operation, .. } if operation == expect), "{error:?}");
        assert!(error.to_string().contains("timeout"), "{error}");
    };
    let started = Instant::now();
    check(started, api.describe_table("one").await.unwrap_err(), Operation::DescribeTable);
    let started = Instant::now();
    check(started, api.create_index(&request).await.unwrap_err(), Operation::UpdateTable);
}
