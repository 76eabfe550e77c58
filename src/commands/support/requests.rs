//! Requests of a command.

use sentinelone_raw::runtime::Request;
use serde_json::Value;

use crate::Result;
use crate::error::Error;

/// The requests of a command.
pub(crate) type Requests = Vec<Request<Value>>;

/// Returns the request of a command that sends one, for a response of type `T`.
pub(crate) fn first_request<T>(requests: Requests) -> Result<Request<T>> {
    next_request(&mut requests.into_iter())
}

/// Returns the next request, for a response of type `T`. A missing request is an error.
pub(crate) fn next_request<T>(requests: &mut impl Iterator<Item = Request<Value>>) -> Result<Request<T>> {
    let request = requests.next().map(Request::with_response_type);
    request.ok_or_else(|| Error::configuration("a request of the command is missing").before_request())
}
