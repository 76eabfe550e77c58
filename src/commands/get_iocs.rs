//! `sentinelone-get-iocs`: indicators of the threat intelligence database.

use sentinelone_raw::iocs::{self as raw, IocFilter, IocType, IocsListQuery};
use sentinelone_raw::runtime::{ApiVersion, Page, Request, Timestamp};
use serde_json::Value;

use super::act::refuse;
use super::context::Output;
use super::create_ioc::TYPES;
use super::lists::{given, in_batches, of_one_list, read_all, wanted};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;

const DEFAULT_LIMIT: u64 = 1000;

/// Indicators of accounts that match, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetIocs {
    /// The accounts; at least one.
    pub account_ids: Vec<String>,
    /// How many at the most; without it 1000, or as many as there are `uuids`.
    pub limit: Option<u64>,
    /// Uploaded then or after.
    pub upload_time_gte: Option<Timestamp>,
    /// Uploaded then or before.
    pub upload_time_lte: Option<Timestamp>,
    /// Where to go on, from an earlier answer.
    pub cursor: Option<String>,
    /// Identifiers.
    pub uuids: Vec<String>,
    /// Kind of the value.
    pub type_: Option<IocType>,
    /// Identifier of the upload.
    pub batch_id: Option<String>,
    /// Sources.
    pub source: Vec<String>,
    /// The whole value.
    pub value: Option<String>,
    /// Identifier that the source uses.
    pub external_id: Option<String>,
    /// Parts of the name.
    pub name_contains: Vec<String>,
    /// Parts of the name of who uploaded it.
    pub creator_contains: Vec<String>,
    /// Parts of the description.
    pub description_contains: Vec<String>,
    /// Categories.
    pub category_in: Vec<String>,
    /// Last changed then or after.
    pub updated_at_gte: Option<Timestamp>,
    /// Last changed then or before.
    pub updated_at_lte: Option<Timestamp>,
    /// Created by its source then or after.
    pub creation_time_gte: Option<Timestamp>,
    /// Created by its source then or before.
    pub creation_time_lte: Option<Timestamp>,
}

const PREFIX: &str = "SentinelOne.IOC";

impl Command for GetIocs {
    const INFO: Info = Info {
        name: "get-iocs",
        full_name: "sentinelone-get-iocs",
        summary: "List the indicators of accounts that match",
        versions: &[ApiVersion::V2_1],
        acts: false,
        destructive: false,
        asks: false,
        operations: &["iocs_list"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.IOC.UUID", "String", "Identifier of the indicator", "uuid"),
        Output::field("SentinelOne.IOC.Creator", "String", "User who added it", "creator"),
        Output::field("SentinelOne.IOC.Name", "String", "Name", "name"),
        Output::field("SentinelOne.IOC.Value", "String", "The value itself", "value"),
        Output::field("SentinelOne.IOC.Description", "String", "Description", "description").no_column(),
        Output::field("SentinelOne.IOC.Type", "String", "Kind of its value", "type"),
        Output::field(
            "SentinelOne.IOC.ExternalId",
            "String",
            "Identifier that its source uses",
            "externalId",
        )
        .no_column(),
        Output::field("SentinelOne.IOC.Source", "String", "Where it comes from", "source"),
        Output::field("SentinelOne.IOC.UploadTime", "String", "When it was uploaded", "uploadTime"),
        Output::field("SentinelOne.IOC.ValidUntil", "String", "Until when it holds", "validUntil"),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, List, Text, Time};
        vec![
            Argument::new("account_ids", List, "Accounts, by identifier.").required(),
            Argument::new(
                "limit",
                Integer,
                "How many indicators at the most; without it as many as uuids where those are more.",
            )
            .default("1000")
            .or_all(),
            Argument::new("upload_time_gte", Time, "Uploaded at this time or after."),
            Argument::new("upload_time_lte", Time, "Uploaded at this time or before."),
            Argument::new("cursor", Text, "Where to go on: nextCursor of an earlier answer."),
            Argument::new("uuids", List, "Identifiers of indicators."),
            Argument::new("type", Text, "Kind of the value.").values(TYPES),
            Argument::new("batch_id", Text, "Identifier of the upload."),
            Argument::new("source", List, "Sources; any of them will do."),
            Argument::new("value", Text, "The whole value."),
            Argument::new("external_id", Text, "Identifier that the source uses."),
            Argument::new("name_contains", List, "Parts of the name; any of them will do."),
            Argument::new(
                "creator_contains",
                List,
                "Parts of the name or mail address of who uploaded it; any of them will do.",
            ),
            Argument::new("description_contains", List, "Parts of the description; any of them will do."),
            Argument::new("category_in", List, "Categories, such as a kind of malware; any of them will do."),
            Argument::new("updated_at_gte", Time, "Last changed at this time or after."),
            Argument::new("updated_at_lte", Time, "Last changed at this time or before."),
            Argument::new("creation_time_gte", Time, "Created by its source at this time or after."),
            Argument::new("creation_time_lte", Time, "Created by its source at this time or before."),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            account_ids: arguments.required_list("account_ids")?,
            limit: arguments.limit()?,
            upload_time_gte: arguments.time("upload_time_gte")?,
            upload_time_lte: arguments.time("upload_time_lte")?,
            cursor: arguments.text("cursor")?,
            uuids: arguments.list("uuids")?.unwrap_or_default(),
            type_: arguments.choice_of_any_case("type", TYPES)?,
            batch_id: arguments.text("batch_id")?,
            source: arguments.list("source")?.unwrap_or_default(),
            value: arguments.text("value")?,
            external_id: arguments.text("external_id")?,
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

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(self.lists()?.into_iter().map(Request::answering).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        read_all((client, watch), self.lists()?, Some(self.wanted()), |_| true, (PREFIX, Self::OUTPUTS)).await
    }
}

impl GetIocs {
    fn wanted(&self) -> u64 {
        wanted(self.limit, DEFAULT_LIMIT, &self.uuids)
    }

    fn lists(&self) -> Result<Vec<Request<Page<Value>>>> {
        of_one_list(self, ("cursor", self.cursor.is_some()), ("uuids", &self.uuids))?;
        in_batches(&self.uuids, Some(self.wanted()), |uuids| self.request(uuids))
    }

    fn request(&self, uuids: Option<Vec<String>>) -> Result<Request<Page<Value>>> {
        if self.account_ids.is_empty() {
            return Err(refuse(Self::INFO.name, "account_ids", "is missing; give at least one"));
        }
        let filter = IocFilter {
            account_ids: given(&self.account_ids),
            upload_time_gte: self.upload_time_gte.clone(),
            upload_time_lte: self.upload_time_lte.clone(),
            uuids,
            type_: self.type_.clone(),
            batch_id: self.batch_id.clone(),
            source: given(&self.source),
            value: self.value.clone(),
            external_id: self.external_id.clone(),
            name_contains: given(&self.name_contains),
            creator_contains: given(&self.creator_contains),
            description_contains: given(&self.description_contains),
            category_in: given(&self.category_in).map(|list| list.join(",")),
            updated_at_gte: self.updated_at_gte.clone(),
            updated_at_lte: self.updated_at_lte.clone(),
            creation_time_gte: self.creation_time_gte.clone(),
            creation_time_lte: self.creation_time_lte.clone(),
            ..IocFilter::default()
        };
        let query = IocsListQuery { filter, cursor: self.cursor.clone(), ..IocsListQuery::default() };
        Ok(raw::list(&query)?.answering())
    }
}
