//! Authentication, and the operation of a request.

use http::StatusCode;
use serde_json::{Map, Value};

use sentinelone_contract::{Contract, OperationMatch};

use super::data_lake;
use super::message::{SandboxRequest, SandboxResponse};

/// The accepted token.
pub(super) const TOKEN: &str = "sandbox-token";

/// Returns the operation of a request. A request without the token gets status 401, also for an unknown path, unless
/// the operation needs no token.
pub(super) fn route<'a>(
    contract: &'a Contract,
    request: &SandboxRequest<'_>,
) -> Result<OperationMatch<'a>, SandboxResponse> {
    let found = contract.match_operation(request.method, request.path);
    if let Some(scheme) = scheme(found.as_ref()).filter(|scheme| !has_token(scheme, request.authorization)) {
        let is_query = |found: &OperationMatch<'_>| data_lake::step(found.operation).is_some();
        let other_scheme = request.authorization.filter(|_| found.as_ref().is_some_and(is_query));
        if let Some(authorization) = other_scheme.filter(|one| !starts_with(one, scheme)) {
            return Err(data_lake::wrong_scheme(authorization));
        }
        let detail =
            format!("Set the header Authorization to {scheme}, a space and the token of the sandbox");
        return Err(SandboxResponse::error(StatusCode::UNAUTHORIZED, "Authentication Failed", [detail]));
    }
    let other_version = match found {
        Some(found) if exists_in_version(&found) => return Ok(found),
        other => other,
    };
    let methods = allowed_methods(contract, request.path);
    if !methods.is_empty() {
        let detail = format!("{} supports {}, not {}", request.path, methods.join(", "), request.method);
        return Err(SandboxResponse::error(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", [detail]));
    }
    Err(SandboxResponse::not_found(match other_version {
        Some(found) => format!("{} does not exist on this API version", found.operation.id()),
        None => format!("{} is not in the specification", request.path),
    }))
}

/// Returns the methods of a path in the API version of the path, sorted; empty if it has none.
pub(super) fn allowed_methods<'a>(contract: &'a Contract, path: &str) -> Vec<&'a str> {
    let methods = contract.allowed_methods(path).into_iter();
    let exists =
        |method: &&str| contract.match_operation(method, path).as_ref().is_some_and(exists_in_version);
    methods.filter(exists).collect()
}

/// Returns the scheme of the header `Authorization`; `None` if the operation needs no token. An unknown path needs one.
pub(super) fn scheme(found: Option<&OperationMatch<'_>>) -> Option<&'static str> {
    let declared = found.and_then(|found| found.operation.as_json().get("security")?.as_array());
    let Some(alternatives) = declared else { return Some("ApiToken") };
    let names = alternatives.iter().filter_map(Value::as_object).flat_map(Map::keys);
    let is_optional = alternatives.iter().any(|one| one.as_object().is_some_and(Map::is_empty));
    names.map(|name| if name == "Bearer" { "Bearer" } else { "ApiToken" }).next().filter(|_| !is_optional)
}

/// Returns whether a header has a scheme, in any case.
fn starts_with(authorization: &str, scheme: &str) -> bool {
    authorization.trim().get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// Returns whether the header `Authorization` has the token of the sandbox. The case of the scheme is ignored, and any
/// number of spaces can follow it.
fn has_token(scheme: &str, authorization: Option<&str>) -> bool {
    let parts = authorization.and_then(|value| value.trim().split_once([' ', '\t']));
    parts.is_some_and(|(sent, token)| sent.eq_ignore_ascii_case(scheme) && token.trim_start() == TOKEN)
}

/// Returns whether the API version of the path has the operation.
fn exists_in_version(found: &OperationMatch<'_>) -> bool {
    found.version.is_some_and(|version| found.operation.versions().contains(&version))
}
