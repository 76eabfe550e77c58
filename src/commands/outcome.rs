//! The outcome of a command.

use serde_json::{Value, json};

use crate::error::{ApiError, Error};
use crate::files::SavedFile;
use crate::json_path::set_path;
use crate::outcome::{IdOutcome, IdState};

/// The outcome of a command.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// JSON that the console sent, with unknown fields. Several responses are merged: lists are concatenated and
    /// counts added.
    pub response: Value,
    /// The same data under the context paths of the integration.
    pub context: Value,
    /// Results of an action for each ID that was requested or that the console reported.
    pub results: Vec<IdOutcome>,
    /// Number of objects that an action affected, if the console reported it.
    pub affected: Option<u64>,
    /// Errors that the console returned together with data.
    pub errors: Vec<ApiError>,
    /// Files that were written locally.
    pub files: Vec<SavedFile>,
    /// Error that ended the command early, after the first request or page. The results before it are kept.
    pub failure: Option<Error>,
}

impl Outcome {
    /// Creates the outcome of a read.
    pub(super) fn new(response: Value, context: Value) -> Self {
        Self {
            response,
            context,
            results: Vec::new(),
            affected: None,
            errors: Vec::new(),
            files: Vec::new(),
            failure: None,
        }
    }

    /// Returns whether the command succeeded for each requested ID, without errors or a failure.
    pub fn is_complete(&self) -> bool {
        self.failure.is_none()
            && self.errors.is_empty()
            && self.results.iter().all(|result| result.state.is_success())
    }

    /// Returns whether an action succeeded at least in part, or the requested state was already set.
    pub fn has_effect(&self) -> bool {
        let done = |result: &IdOutcome| result.state.is_success() || result.state == IdState::Partial;
        self.affected.is_some_and(|affected| affected > 0) || self.results.iter().any(done)
    }

    /// Returns the response as JSON. The members `results` and `files` are added unless they are empty. A response that
    /// is not an object is wrapped in the member `response` in this case.
    pub fn to_json(&self) -> Value {
        let additions = [("results", self.results_json()), ("files", self.files_json())];
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

    /// Returns whether the context has a value, or files were written.
    pub fn has_results(&self) -> bool {
        fn has_value(value: &Value) -> bool {
            match value {
                Value::Null => false,
                Value::Array(list) => list.iter().any(has_value),
                Value::Object(object) => object.values().any(has_value),
                _ => true,
            }
        }
        !self.files.is_empty() || has_value(&self.context)
    }

    /// Returns the results of an action, the items of a list or the single object of the response, followed by the
    /// written files.
    pub fn items(&self) -> Vec<Value> {
        let mut items = self.response_items();
        items.extend(self.files_json());
        items
    }

    fn response_items(&self) -> Vec<Value> {
        if !self.results.is_empty() {
            return self.results_json();
        }
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

    fn results_json(&self) -> Vec<Value> {
        let to_json = |result: &IdOutcome| json!({ "id": result.id, "state": result.state.as_str(), "detail": result.detail });
        self.results.iter().map(to_json).collect()
    }
}
