//! `sentinelone-create-ioc`: a new indicator of the threat intelligence database.

use sentinelone_raw::iocs::{self as raw, IocCreation, IocData, IocMethod, IocType};
use sentinelone_raw::runtime::{ApiVersion, Request, Timestamp};
use sentinelone_raw::shared::ScopeFilter;
use serde_json::Value;

use super::act::refuse;
use super::context::Output;
use super::saved::{Thing, save};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Adds an indicator to the threat intelligence database.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateIoc {
    /// Name.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// What kind of value it is.
    pub type_: IocType,
    /// How values are compared with it.
    pub method: IocMethod,
    /// Until when it holds.
    pub valid_until: Timestamp,
    /// The value itself.
    pub value: String,
    /// The accounts that it is for.
    pub account_ids: Vec<String>,
    /// Identifier that its source uses.
    pub external_id: Option<String>,
    /// Free text.
    pub description: Option<String>,
}

const PREFIX: &str = "SentinelOne.IOC";
pub(super) const TYPES: &[&str] = &["DNS", "IPV4", "IPV6", "MD5", "SHA1", "SHA256", "URL"];
const METHODS: &[&str] = &["EQUALS"];

impl Command for CreateIoc {
    const INFO: Info = Info {
        name: "create-ioc",
        full_name: "sentinelone-create-ioc",
        summary: "Add an indicator to the threat intelligence database",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: false,
        asks: false,
        operations: &["iocs_create"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.IOC.UUID", "String", "Identifier of the indicator", "uuid"),
        Output::field("SentinelOne.IOC.Name", "String", "Name", "name"),
        Output::field("SentinelOne.IOC.Source", "String", "Where it comes from", "source"),
        Output::field("SentinelOne.IOC.Type", "String", "Kind of its value", "type"),
        Output::field("SentinelOne.IOC.BatchId", "String", "Identifier of the upload", "batchId").no_column(),
        Output::field("SentinelOne.IOC.Creator", "String", "User who added it", "creator"),
        Output::field("SentinelOne.IOC.Scope", "String", "Level of its scope", "scope"),
        Output::field("SentinelOne.IOC.ScopeId", "String", "Identifier of its scope", "scopeId"),
        Output::field("SentinelOne.IOC.ValidUntil", "String", "Until when it holds", "validUntil"),
        Output::field("SentinelOne.IOC.Description", "String", "Description", "description").no_column(),
        Output::field(
            "SentinelOne.IOC.ExternalId",
            "String",
            "Identifier that its source uses",
            "externalId",
        )
        .no_column(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{List, Text, Time};
        vec![
            Argument::new("name", Text, "Name of the indicator.").required(),
            Argument::new("source", Text, "Where it comes from.").required(),
            Argument::new("type", Text, "What kind of value it is.").required().values(TYPES),
            Argument::new("method", Text, "How values are compared with it.").required().values(METHODS),
            Argument::new("validUntil", Time, "Until when it holds: a time to come.").required(),
            Argument::new("value", Text, "The value itself.").required(),
            Argument::new("account_ids", List, "Accounts that it is for, by identifier.").required(),
            Argument::new("externalId", Text, "Identifier that its source uses."),
            Argument::new("description", Text, "Free text."),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let valid_until = arguments.time_to_come("validUntil")?;
        Ok(Self {
            name: arguments.required("name")?,
            source: arguments.required("source")?,
            type_: arguments.required_choice_of_any_case("type", TYPES)?,
            method: arguments.required_choice_of_any_case("method", METHODS)?,
            valid_until: valid_until.ok_or_else(|| arguments.wrong("validUntil", "is missing"))?,
            value: arguments.required("value")?.trim().to_owned(),
            account_ids: arguments.required_list("account_ids")?,
            external_id: arguments.text("externalId")?,
            description: arguments.text("description")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let outputs = (PREFIX, Self::OUTPUTS);
        save(client, &self.request()?, Thing::New(&self.value), "uuid", outputs).await
    }
}

impl CreateIoc {
    fn request(&self) -> Result<Request<Value>> {
        if self.account_ids.is_empty() {
            return Err(refuse(Self::INFO.name, "account_ids", "is missing; give at least one"));
        }
        let mut data = IocData::new(self.source.clone(), self.value.clone())
            .name(self.name.clone())
            .type_(self.type_.clone())
            .method(self.method.clone())
            .valid_until(self.valid_until.clone());
        data.external_id = self.external_id.clone();
        data.description = self.description.clone();
        let scope = ScopeFilter::default().account_ids(&self.account_ids);
        Ok(raw::create(&IocCreation::new([data]).filter(scope))?.answering())
    }
}
