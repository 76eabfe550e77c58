//! `sentinelone-get-iocs`: lists indicators of compromise.

use sentinelone_raw::iocs::{self as raw, IocFilter, IocType, IocsListQuery};
use sentinelone_raw::runtime::{ApiVersion, Request, Timestamp};
use serde_json::Value;

use super::arguments::argument_error;
use super::create_ioc::TYPES;
use super::support::batched_lists::{
    batched_list_requests, effective_limit, non_empty, read_lists, require_single_list,
};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::requested_ids::RequestedIds;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

const DEFAULT_LIMIT: u64 = 1000;

/// Lists indicators of accounts that match all filters, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetIocs {
    /// Account IDs, at least one.
    pub account_ids: Vec<String>,
    /// Maximum number of items. Default: 1000, or the number of `uuids` if larger.
    pub limit: Option<u64>,
    /// Uploaded at or after this time.
    pub upload_time_gte: Option<Timestamp>,
    /// Uploaded at or before this time.
    pub upload_time_lte: Option<Timestamp>,
    /// Cursor of an earlier response.
    pub cursor: Option<String>,
    /// Indicator IDs.
    pub uuids: Vec<String>,
    /// Type of the value.
    pub type_: Option<IocType>,
    /// ID of the upload.
    pub batch_id: Option<String>,
    /// Sources.
    pub source: Vec<String>,
    /// Exact value.
    pub value: Option<String>,
    /// ID of the indicator at its source.
    pub external_id: Option<String>,
    /// Substrings of the name.
    pub name_contains: Vec<String>,
    /// Substrings of the name or email address of the creator.
    pub creator_contains: Vec<String>,
    /// Substrings of the description.
    pub description_contains: Vec<String>,
    /// Categories.
    pub category_in: Vec<String>,
    /// Last changed at or after this time.
    pub updated_at_gte: Option<Timestamp>,
    /// Last changed at or before this time.
    pub updated_at_lte: Option<Timestamp>,
    /// Created at its source at or after this time.
    pub creation_time_gte: Option<Timestamp>,
    /// Created at its source at or before this time.
    pub creation_time_lte: Option<Timestamp>,
}

const PREFIX: &str = "SentinelOne.IOC";

impl Command for GetIocs {
    const INFO: CommandInfo = CommandInfo {
        name: "get-iocs",
        full_name: "sentinelone-get-iocs",
        topic: Topic::Detection,
        summary: "List threat intelligence indicators of accounts",
        example: "s1 get-iocs --account-ids 410000000000000001 --type IPV4",
        versions: &[ApiVersion::V2_1],
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["iocs_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field("SentinelOne.IOC.UUID", "String", "ID of the indicator", "uuid"),
        ContextPath::field("SentinelOne.IOC.Creator", "String", "Name of the creator", "creator"),
        ContextPath::field("SentinelOne.IOC.Name", "String", "Name", "name"),
        ContextPath::field("SentinelOne.IOC.Value", "String", "Value", "value"),
        ContextPath::field("SentinelOne.IOC.Description", "String", "Description", "description").no_column(),
        ContextPath::field("SentinelOne.IOC.Type", "String", "Type of the value", "type"),
        ContextPath::field(
            "SentinelOne.IOC.ExternalId",
            "String",
            "ID of the indicator at its source",
            "externalId",
        )
        .no_column(),
        ContextPath::field("SentinelOne.IOC.Source", "String", "Source of the indicator", "source"),
        ContextPath::field("SentinelOne.IOC.UploadTime", "String", "Upload time", "uploadTime"),
        ContextPath::field("SentinelOne.IOC.ValidUntil", "String", "End of the validity", "validUntil"),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, List, String, Time};
        vec![
            Argument::new("account_ids", List, "Account IDs.").required(),
            Argument::new(
                "limit",
                Integer,
                "Maximum number of indicators; if not set, at least the number of uuids.",
            )
            .default("1000")
            .accepts_all(),
            Argument::new("upload_time_gte", Time, "Uploaded at or after this time."),
            Argument::new("upload_time_lte", Time, "Uploaded at or before this time."),
            Argument::new(
                "cursor",
                String,
                "Cursor of the next page: pagination.nextCursor of an earlier response.",
            ),
            Argument::new("uuids", List, "Indicator IDs."),
            Argument::new("type", String, "Type of the value.").values(TYPES),
            Argument::new("batch_id", String, "ID of the upload."),
            Argument::new("source", List, "Sources; any of them matches."),
            Argument::new("value", String, "Exact value."),
            Argument::new("external_id", String, "ID of the indicator at its source."),
            Argument::new("name_contains", List, "Substrings of the name; any of them matches."),
            Argument::new(
                "creator_contains",
                List,
                "Substrings of the name or email address of the creator; any of them matches.",
            ),
            Argument::new(
                "description_contains",
                List,
                "Substrings of the description; any of them matches.",
            ),
            Argument::new("category_in", List, "Categories, such as a kind of malware; any of them matches."),
            Argument::new("updated_at_gte", Time, "Last changed at or after this time."),
            Argument::new("updated_at_lte", Time, "Last changed at or before this time."),
            Argument::new("creation_time_gte", Time, "Created at its source at or after this time."),
            Argument::new("creation_time_lte", Time, "Created at its source at or before this time."),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            account_ids: arguments.required_list("account_ids")?,
            limit: arguments.limit()?,
            upload_time_gte: arguments.time("upload_time_gte")?,
            upload_time_lte: arguments.time("upload_time_lte")?,
            cursor: arguments.string("cursor")?,
            uuids: arguments.list("uuids")?.unwrap_or_default(),
            type_: arguments.choice_ignore_case("type", TYPES)?,
            batch_id: arguments.string("batch_id")?,
            source: arguments.list("source")?.unwrap_or_default(),
            value: arguments.string("value")?,
            external_id: arguments.string("external_id")?,
            name_contains: arguments.list("name_contains")?.unwrap_or_default(),
            creator_contains: arguments.list("creator_contains")?.unwrap_or_default(),
            description_contains: arguments.list("description_contains")?.unwrap_or_default(),
            category_in: arguments.list("category_in")?.unwrap_or_default(),
            updated_at_gte: arguments.time("updated_at_gte")?,
            updated_at_lte: arguments.time("updated_at_lte")?,
            creation_time_gte: arguments.time("creation_time_gte")?,
            creation_time_lte: arguments.time("creation_time_lte")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        require_single_list(self, ("cursor", self.cursor.is_some()), ("uuids", &self.uuids))?;
        batched_list_requests(&self.uuids, Some(self.effective_limit()), |uuids| self.request(uuids))
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let requested = RequestedIds::default()
            .with("uuids", &self.uuids, &["uuid"])
            .with_one("batch_id", self.batch_id.as_ref())
            .with_one("value", self.value.as_ref())
            .with_one("external_id", self.external_id.as_ref());
        read_lists(
            (client, observer, &requested),
            requests,
            Some(self.effective_limit()),
            None,
            (PREFIX, Self::OUTPUTS),
        )
        .await
    }
}

impl GetIocs {
    fn effective_limit(&self) -> u64 {
        effective_limit(self.limit, DEFAULT_LIMIT, &self.uuids)
    }

    fn request(&self, uuids: Option<Vec<String>>) -> Result<Request<Value>> {
        if self.account_ids.is_empty() {
            return Err(argument_error(
                Self::INFO.name,
                "account_ids",
                "is missing; expected at least one value",
            ));
        }
        let filter = IocFilter {
            account_ids: non_empty(&self.account_ids),
            upload_time_gte: self.upload_time_gte.clone(),
            upload_time_lte: self.upload_time_lte.clone(),
            uuids,
            type_: self.type_.clone(),
            batch_id: self.batch_id.clone(),
            source: non_empty(&self.source),
            value: self.value.clone(),
            external_id: self.external_id.clone(),
            name_contains: non_empty(&self.name_contains),
            creator_contains: non_empty(&self.creator_contains),
            description_contains: non_empty(&self.description_contains),
            category_in: non_empty(&self.category_in).map(|list| list.join(",")),
            updated_at_gte: self.updated_at_gte.clone(),
            updated_at_lte: self.updated_at_lte.clone(),
            creation_time_gte: self.creation_time_gte.clone(),
            creation_time_lte: self.creation_time_lte.clone(),
            ..IocFilter::default()
        };
        let query = IocsListQuery { filter, cursor: self.cursor.clone(), ..IocsListQuery::default() };
        Ok(raw::list(&query)?.with_response_type())
    }
}
