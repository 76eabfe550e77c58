//! What a command answers.

use serde_json::{Value, json};

use crate::error::Error;
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
    /// Actions in several requests: what ended them early. What was done before stands.
    pub failure: Option<Error>,
}

impl Outcome {
    /// Of a read.
    pub(super) fn found(answer: Value, context: Value) -> Self {
        Self { answer, context, ids: Vec::new(), affected: None, failure: None }
    }

    /// Whether everything that was asked for is as it was asked for.
    pub fn is_complete(&self) -> bool {
        self.failure.is_none() && self.ids.iter().all(|one| one.state.is_fulfilled())
    }

    /// Whether nothing that was asked for is as it was asked for. False where nothing particular was
    /// asked for.
    pub fn is_nothing(&self) -> bool {
        !self.ids.is_empty() && self.ids.iter().all(|one| one.state == IdState::NotAffected)
    }

    /// What the console sent, with `results` beside it: what is known of each identifier.
    pub fn to_json(&self) -> Value {
        let mut answer = self.answer.clone();
        if !self.ids.is_empty() && answer.is_object() {
            answer["results"] = self
                .ids
                .iter()
                .map(|one| json!({ "id": one.id, "state": one.state.as_str(), "detail": one.detail }))
                .collect();
        }
        answer
    }

    /// The things that the answer is about, one by one: the items of a list, the results of an action, or
    /// the one thing.
    pub fn items(&self) -> Vec<Value> {
        if !self.ids.is_empty() {
            return self.to_json()["results"].as_array().cloned().unwrap_or_default();
        }
        match self.answer.get("data") {
            Some(Value::Array(items)) => items.clone(),
            Some(thing) => vec![thing.clone()],
            None => vec![self.answer.clone()],
        }
    }
}
