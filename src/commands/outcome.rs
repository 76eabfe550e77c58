//! What a command answers.

use serde_json::{Value, json};

use crate::dotted::put;
use crate::error::{Error, VendorError};
use crate::files::Saved;
use crate::outcome::{IdOutcome, IdState};

/// What came of a command.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// What the console sent, fields included that are not known here. Several answers are one: lists
    /// joined, counts added up.
    pub answer: Value,
    /// The same under the context paths of the integration.
    pub context: Value,
    /// Actions: what is known of each thing that was asked for or that the console mentioned.
    pub ids: Vec<IdOutcome>,
    /// Actions: how many things the console says it acted on.
    pub affected: Option<u64>,
    /// Errors that came beside what was done or found.
    pub errors: Vec<VendorError>,
    /// Files that were written to this machine.
    pub files: Vec<Saved>,
    /// What ended it early: actions in several requests, lists of several pages. What was done and found
    /// before stands.
    pub failure: Option<Error>,
}

impl Outcome {
    /// Of a read.
    pub(super) fn found(answer: Value, context: Value) -> Self {
        Self {
            answer,
            context,
            ids: Vec::new(),
            affected: None,
            errors: Vec::new(),
            files: Vec::new(),
            failure: None,
        }
    }

    /// Whether everything that was asked for is there, and known to be as it was asked for.
    pub fn is_complete(&self) -> bool {
        self.failure.is_none()
            && self.errors.is_empty()
            && self.ids.iter().all(|one| one.state.is_fulfilled())
    }

    /// Actions: whether anything is known to have been done, or to have been so already.
    pub fn did_something(&self) -> bool {
        let done = |one: &IdOutcome| one.state.is_fulfilled() || one.state == IdState::Partly;
        self.affected.is_some_and(|affected| affected > 0) || self.ids.iter().any(done)
    }

    /// What the console sent, with `results` beside it where something is known of identifiers, and `files`
    /// where any was written.
    pub fn to_json(&self) -> Value {
        let beside = [("results", self.results()), ("files", self.written())];
        if beside.iter().all(|(_, list)| list.is_empty()) {
            return self.answer.clone();
        }
        let mut answer = match &self.answer {
            Value::Null | Value::Object(_) => self.answer.clone(),
            odd => json!({ "answer": odd }),
        };
        for (name, list) in beside.into_iter().filter(|(_, list)| !list.is_empty()) {
            put(&mut answer, name, Value::Array(list));
        }
        answer
    }

    /// Whether there is anything to read: things, or files.
    pub fn found_something(&self) -> bool {
        fn holds(value: &Value) -> bool {
            match value {
                Value::Null => false,
                Value::Array(list) => list.iter().any(holds),
                Value::Object(object) => object.values().any(holds),
                _ => true,
            }
        }
        !self.files.is_empty() || holds(&self.context)
    }

    /// The things that the answer is about, one by one: the results of an action, the items of a list, or
    /// the one thing. The files that were written come after them.
    pub fn items(&self) -> Vec<Value> {
        let mut items = self.things();
        items.extend(self.written());
        items
    }

    fn things(&self) -> Vec<Value> {
        if !self.ids.is_empty() {
            return self.results();
        }
        let deeper = |data: &Value| -> Option<Vec<Value>> {
            // A list that is not `data` itself is the only one in it.
            let mut lists = data.as_object()?.values().filter_map(Value::as_array);
            lists.next().filter(|_| self.answer.get("pagination").is_some()).cloned()
        };
        match self.answer.get("data") {
            Some(data) if deeper(data).is_some() => deeper(data).unwrap_or_default(),
            Some(Value::Array(items)) => items.clone(),
            Some(thing) => vec![thing.clone()],
            None => vec![self.answer.clone()],
        }
    }

    fn written(&self) -> Vec<Value> {
        let file = |one: &Saved| json!({ "name": one.name, "path": one.path.display().to_string(), "bytes": one.bytes });
        self.files.iter().map(file).collect()
    }

    fn results(&self) -> Vec<Value> {
        let result =
            |one: &IdOutcome| json!({ "id": one.id, "state": one.state.as_str(), "detail": one.detail });
        self.ids.iter().map(result).collect()
    }
}
