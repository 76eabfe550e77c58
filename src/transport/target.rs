//! What a call sends, and the metrics of its last response.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard};

use ::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;
use sentinelone_raw::runtime::Operation;
use tracing::debug;

use super::link;
use super::lock::lock;
use crate::error::Error;
use crate::redaction::RequestSecrets;
use crate::response::REQUEST_ID;
use crate::text::replace_control_chars;
use crate::token::ApiToken;

/// A serialized request, which all attempts of a call send.
pub(super) struct PreparedRequest<'a> {
    pub(super) operation: &'static Operation,
    pub(super) method: ::http::Method,
    pub(super) url: url::Url,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: &'a [(&'static str, String)],
    pub(super) json: Option<Cow<'a, serde_json::Value>>,
    /// Serialized body, with its media type.
    pub(super) body: Option<(HeaderValue, Bytes)>,
}

/// The operation and request of a call, and the metrics of its last response.
pub(super) struct CallTarget<'a> {
    pub(super) operation: &'static Operation,
    pub(super) secrets: RequestSecrets,
    /// Request to the console; `None` for another server, which does not get the token and has no rate limits.
    pub(super) prepared: Option<&'a PreparedRequest<'a>>,
    pub(super) metrics: Mutex<ResponseMetrics>,
}

/// The metrics of a response, for the span of the call.
#[derive(Default)]
pub(super) struct ResponseMetrics {
    pub(super) status: Option<u16>,
    pub(super) bytes: Option<usize>,
    pub(super) request_id: Option<String>,
}

impl<'a> CallTarget<'a> {
    #[inline]
    pub(super) fn console(prepared: &'a PreparedRequest<'a>, secrets: RequestSecrets) -> Self {
        let operation = prepared.operation;
        Self { operation, secrets, prepared: Some(prepared), metrics: Mutex::default() }
    }

    pub(super) fn external(operation: &'static Operation, url: &url::Url, token: &ApiToken) -> Self {
        let secrets = RequestSecrets::new(link::secrets(url), token);
        Self { operation, secrets, prepared: None, metrics: Mutex::default() }
    }

    pub(super) fn metrics(&self) -> MutexGuard<'_, ResponseMetrics> {
        lock(&self.metrics)
    }

    pub(super) fn redact(&self, error: Error) -> Error {
        error.redacted(&self.secrets.redactor())
    }

    /// Logs a response and stores its metrics, without its content.
    #[inline]
    pub(super) fn record_metrics(&self, status: StatusCode, headers: &HeaderMap, bytes: Option<usize>) {
        let id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        let request_id = id.map(|id| replace_control_chars(&self.secrets.redactor().redact(id)));
        debug!(target: "sentinelone", status = status.as_u16(), bytes, request_id, "response received");
        *self.metrics() = ResponseMetrics { status: Some(status.as_u16()), bytes, request_id };
    }
}
