//! `sentinelone-get-white-list`: exclusions that match.

use sentinelone_raw::exclusions::{self as raw, ExclusionType, ExclusionsListQuery};
use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Page, Request};
use sentinelone_raw::threats::OsType;
use serde_json::Value;

use super::context::Output;
use super::lists::{given, in_batches, read_all, wanted};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;

const DEFAULT_LIMIT: u64 = 10;

/// Exclusions that match, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetWhiteList {
    /// Identifiers.
    pub item_ids: Vec<String>,
    /// Operating systems.
    pub os_types: Vec<OsType>,
    /// What the value is.
    pub exclusion_type: Option<ExclusionType>,
    /// How many at the most; without it 10, or as many as there are `item_ids`.
    pub limit: Option<u64>,
    /// Also those of the scopes above.
    pub include_parent: Option<bool>,
    /// Also those of the scopes below.
    pub include_children: Option<bool>,
}

const PREFIX: &str = "SentinelOne.Exclusions";

/// Those that the integration offers; of types, to create.
pub(super) const TYPES: &[&str] = &["file_type", "path", "white_hash", "certificate", "browser"];
pub(super) const OS_TYPES: &[&str] = &["windows", "windows_legacy", "macos", "linux"];

impl Command for GetWhiteList {
    const INFO: Info = Info {
        name: "get-white-list",
        full_name: "sentinelone-get-white-list",
        summary: "List the exclusions that match",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["exclusions_list"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.Exclusions.ID", "String", "Identifier of the exclusion", "id"),
        Output::field("SentinelOne.Exclusions.Type", "String", "What its value is", "type"),
        Output::field("SentinelOne.Exclusions.Value", "String", "What is excluded", "value"),
        Output::field("SentinelOne.Exclusions.OsType", "String", "Operating system", "osType"),
        Output::field(
            "SentinelOne.Exclusions.Mode",
            "String",
            "What agents leave undone; of paths only",
            "mode",
        ),
        Output::field("SentinelOne.Exclusions.Source", "String", "Where it comes from", "source"),
        Output::field(
            "SentinelOne.Exclusions.UserName",
            "String",
            "Name of the user who created it",
            "userName",
        ),
        Output::field("SentinelOne.Exclusions.CreatedAt", "Date", "When it was created", "createdAt"),
        Output::field("SentinelOne.Exclusions.UserID", "String", "Identifier of that user", "userId")
            .no_column(),
        Output::field("SentinelOne.Exclusions.UpdatedAt", "Date", "When it was last changed", "updatedAt")
            .no_column(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, Text};
        vec![
            Argument::new("item_ids", List, "Exclusions, by identifier."),
            Argument::new("os_types", List, "Operating systems.").values(OS_TYPES),
            Argument::new("exclusion_type", Text, "What the value is.").values(ExclusionType::KNOWN),
            Argument::new(
                "limit",
                Integer,
                "How many exclusions at the most; as many as item_ids where those are more and no limit is \
                 given.",
            )
            .default("10")
            .or_all(),
            Argument::new("include_parent", Boolean, "Whether to list those of the scopes above too.")
                .default("false"),
            Argument::new("include_children", Boolean, "Whether to list those of the scopes below too.")
                .default("false"),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            item_ids: arguments.list("item_ids")?.unwrap_or_default(),
            os_types: arguments.choices("os_types", OS_TYPES)?,
            exclusion_type: arguments.choice("exclusion_type", ExclusionType::KNOWN)?,
            limit: arguments.limit()?,
            include_parent: arguments.boolean("include_parent")?,
            include_children: arguments.boolean("include_children")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(self.lists()?.into_iter().map(Request::answering).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let limit = Some(self.wanted());
        read_all((client, watch), self.lists()?, limit, |_| true, (PREFIX, Self::OUTPUTS)).await
    }
}

impl GetWhiteList {
    fn wanted(&self) -> u64 {
        wanted(self.limit, DEFAULT_LIMIT, &self.item_ids)
    }

    fn lists(&self) -> Result<Vec<Request<Page<Value>>>> {
        in_batches(&self.item_ids, Some(self.wanted()), |ids| self.request(ids))
    }

    fn request(&self, ids: Option<Vec<String>>) -> Result<Request<Page<Value>>> {
        let query = ExclusionsListQuery {
            ids,
            os_types: given(&self.os_types),
            type_: self.exclusion_type.clone(),
            include_parents: Some(self.include_parent.unwrap_or(false)),
            include_children: Some(self.include_children.unwrap_or(false)),
            ..ExclusionsListQuery::default()
        };
        Ok(raw::list(&query)?.answering())
    }
}
