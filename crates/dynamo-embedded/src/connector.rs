//! The SDK's HTTP client without a socket: a request in, a response out, in the same process.
//!
//! A request is served when its future is first polled, on the polling thread, and never suspends.
//! That keeps tests on a paused clock exact; a program should know that the backfill of a very
//! large table (about 0.7 s per 100 000 items) occupies its thread.

use std::{io, sync::Arc};

use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;

use crate::service::{Reply, Service};

/// Connects the SDK to a [`Service`].
#[derive(Debug, Clone)]
pub(crate) struct InProcess(pub(crate) Arc<Service>);

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let service = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move { answer(&service, &request) })
    }
}

fn answer(service: &Service, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    // The SDK keeps DynamoDB's bodies in memory. A streamed one would be refused as no JSON.
    let body = request.body().bytes().unwrap_or_default();
    let (status, body) = match service.serve(target, body) {
        Reply::Answer { status, body } => (status, body),
        Reply::Lost => return Err(broken(io::ErrorKind::ConnectionReset, "the answer was lost")),
        Reply::Unreachable => {
            return Err(broken(io::ErrorKind::ConnectionRefused, "the service is unreachable"));
        }
    };
    let status = status.try_into().map_err(|e| ConnectorError::user(Box::new(e)))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    let headers = response.headers_mut();
    headers.insert("content-type", "application/x-amz-json-1.0");
    headers.insert("x-amzn-requestid", "EMBEDDED");
    Ok(response)
}

fn broken(kind: io::ErrorKind, text: &str) -> ConnectorError {
    ConnectorError::io(Box::new(io::Error::new(kind, format!("scripted fault: {text}"))))
}
