//! The outcome of a command.

use serde_json::{Value, json};

use crate::error::{ApiError, Error};
use crate::files::SavedFile;
use crate::json_path::set_path;
use crate::json_repair::Repairs;
use crate::outcome::{IdOutcome, IdState};
use crate::response::Response;

/// An identifier that an argument of a read names, and that the response does not have.
///
/// The object does not exist, is out of the scope of the token, or does not match the other arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotFound {
    /// Name of the argument, such as `threat_ids`.
    pub argument: &'static str,
    /// The identifier: an ID, an exact name or a hash.
    pub id: String,
}

impl NotFound {
    pub(super) fn new(argument: &'static str, id: impl Into<String>) -> Self {
        Self { argument, id: id.into() }
    }
}

/// The outcome of a command.
#[derive(Debug)]
#[must_use = "the outcome says whether the command succeeded"]
#[non_exhaustive]
pub struct Outcome {
    /// JSON that the console sent, with unknown fields. Several responses are merged: lists are concatenated and
    /// counts added.
    pub response: Value,
    /// The same data under the context paths of the integration.
    pub context: Value,
    /// Results of an action for each ID that was requested or that the console reported. Of an upload that was
    /// downloaded, the results of its files.
    pub results: Vec<IdOutcome>,
    /// Identifiers that the arguments of a read name and that were not found. Empty if the read is incomplete, because
    /// a further item could have the identifier.
    pub not_found: Vec<NotFound>,
    /// Number of objects that an action affected, if the console reported it.
    pub affected: Option<u64>,
    /// Errors that the console returned together with data.
    pub errors: Vec<ApiError>,
    /// Repairs of responses that were not valid JSON; see [`Response::repairs`](crate::Response::repairs).
    pub repairs: Repairs,
    /// Files that were written locally.
    pub files: Vec<SavedFile>,
    /// Error that ended the command early, after the first request or page. The results before it are kept.
    pub failure: Option<Error>,
    /// Whether a [`StopSignal`](crate::batch::StopSignal) ended an action on many IDs early.
    pub is_stopped: bool,
    /// Whether the context only states that the requested item does not exist, or that a query failed, or lists the
    /// links of files that were not downloaded.
    pub(super) is_placeholder: bool,
}

impl Outcome {
    /// Creates the outcome of a read.
    pub(super) fn new(response: Value, context: Value) -> Self {
        Self {
            response,
            context,
            results: Vec::new(),
            not_found: Vec::new(),
            affected: None,
            errors: Vec::new(),
            repairs: Repairs::default(),
            files: Vec::new(),
            failure: None,
            is_stopped: false,
            is_placeholder: false,
        }
    }

    /// Returns whether the command succeeded for each requested ID, and found each of them, without errors, a failure
    /// or a [lost value](Repairs::has_loss) of a response.
    pub fn is_complete(&self) -> bool {
        self.failure.is_none()
            && !self.is_stopped
            && self.errors.is_empty()
            && !self.repairs.has_loss()
            && self.not_found.is_empty()
            && self.results.iter().all(|result| result.state.is_success())
    }

    /// Adds the errors that a response has in addition to data, and its repairs.
    pub(super) fn add_diagnostics<T>(&mut self, response: &Response<T>) {
        self.errors.extend_from_slice(response.api_errors());
        self.repairs.extend(response.repairs());
    }

    /// Returns whether an action succeeded at least in part, or the requested state was already set.
    pub fn has_effect(&self) -> bool {
        let done = |result: &IdOutcome| result.state.is_success() || result.state == IdState::Partial;
        self.affected.is_some_and(|affected| affected > 0) || self.results.iter().any(done)
    }

    /// Returns the response as JSON. The members `results`, `files` and `notFound` are added unless they are empty. A
    /// response that is not an object is wrapped in the member `response` in this case.
    pub fn to_json(&self) -> Value {
        let additions = [
            ("results", results_json(self.results.iter())),
            ("files", self.files_json()),
            ("notFound", self.not_found_json()),
        ];
        if additions.iter().all(|(_, list)| list.is_empty()) {
            return self.response.clone();
        }
        let mut response = match &self.response {
            Value::Null | Value::Object(_) => self.response.clone(),
            odd => json!({ "response": odd }),
        };
        for (name, list) in additions.into_iter().filter(|(_, list)| !list.is_empty()) {
            set_path(&mut response, name, Value::Array(list));
        }
        response
    }

    /// Returns whether the context has a value, or files were written. A context does not count if it only states that
    /// the requested item does not exist, or that a query failed, or lists the links of files that were not downloaded.
    pub fn has_results(&self) -> bool {
        fn has_value(value: &Value) -> bool {
            match value {
                Value::Null => false,
                Value::Array(list) => list.iter().any(has_value),
                Value::Object(object) => object.values().any(has_value),
                _ => true,
            }
        }
        !self.files.is_empty() || (!self.is_placeholder && has_value(&self.context))
    }

    /// Returns the results of an action, the items of a list or the single object of the response, followed by the
    /// written files. Of a read that wrote files, the response is omitted, and so is the successful result of a written
    /// file, so that each file is one item.
    pub fn items(&self) -> Vec<Value> {
        let mut items = match () {
            () if !self.results.is_empty() => {
                let is_file = |result: &IdOutcome| {
                    let is_named = || self.files.iter().any(|file| file.name == result.id);
                    result.state.is_success() && result.detail.is_none() && is_named()
                };
                results_json(self.results.iter().filter(|result| !is_file(result)))
            }
            () if !self.files.is_empty() => Vec::new(),
            () => self.response_items(),
        };
        items.extend(self.files_json());
        items
    }

    fn response_items(&self) -> Vec<Value> {
        let nested_list = |data: &Value| -> Option<Vec<Value>> {
            // A list below `data` is the only list there.
            let mut lists = data.as_object()?.values().filter_map(Value::as_array);
            lists.next().filter(|_| self.response.get("pagination").is_some()).cloned()
        };
        match self.response.get("data") {
            Some(data) if nested_list(data).is_some() => nested_list(data).unwrap_or_default(),
            Some(Value::Array(items)) => items.clone(),
            Some(item) => vec![item.clone()],
            None => vec![self.response.clone()],
        }
    }

    fn files_json(&self) -> Vec<Value> {
        let to_json = |file: &SavedFile| json!({ "name": file.name, "path": file.path.display().to_string(), "bytes": file.bytes });
        self.files.iter().map(to_json).collect()
    }

    fn not_found_json(&self) -> Vec<Value> {
        let to_json = |one: &NotFound| json!({ "argument": one.argument, "id": one.id });
        self.not_found.iter().map(to_json).collect()
    }
}

fn results_json<'a>(results: impl Iterator<Item = &'a IdOutcome>) -> Vec<Value> {
    let to_json = |result: &IdOutcome| json!({ "id": result.id, "state": result.state.as_str(), "detail": result.detail });
    results.map(to_json).collect()
}
