//! `sentinelone-delete-group`: a group goes, and its agents fall to another one.

use sentinelone_raw::groups as raw;
use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::{Value, json};

use super::act::succeeded;
use super::context::{Output, under};
use super::lists::required_id;
use super::single::act_on_one;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::outcome::IdState;

/// Deletes a group. Its agents fall to another group of the site.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteGroup {
    /// The group.
    pub group_id: String,
}

const PREFIX: &str = "SentinelOne.DeleteGroup";

impl Command for DeleteGroup {
    const INFO: Info = Info {
        name: "delete-group",
        full_name: "sentinelone-delete-group",
        summary: "Delete a group",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: true,
        asks: true,
        operations: &["groups_delete"],
    };

    const OUTPUTS: &'static [Output] = &[Output::computed(
        "SentinelOne.DeleteGroup.Success",
        "String",
        "A sentence that says whether the group was deleted",
    )];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("group_id", ArgumentKind::Text, "Identifier of the group.").required()]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { group_id: required_id(arguments, "group_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![raw::delete(&self.group_id)?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let mut outcome = act_on_one(self, client, |answer| succeeded(&self.group_id, answer)).await?;
        let id = &self.group_id;
        let said = match outcome.ids.first().map(|one| one.state) {
            Some(state) if state.is_fulfilled() => format!("Group {id} was deleted"),
            Some(IdState::NotAffected) => format!("Group {id} was not deleted"),
            _ => format!("Whether group {id} was deleted is not known"),
        };
        outcome.context = under(PREFIX, json!({ "Success": said }));
        Ok(outcome)
    }
}
