//! `sentinelone-create-ioc`: creates an indicator of compromise.

use sentinelone_raw::iocs::{self as raw, IocData, IocMethod, IocType, IocsCreateRequest};
use sentinelone_raw::runtime::{ApiVersion, Timestamp};
use sentinelone_raw::shared::ScopeFilter;

use super::arguments::argument_error;
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::saved::create;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Adds an indicator to the threat intelligence database.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateIoc {
    /// Name.
    pub name: String,
    /// Source of the indicator.
    pub source: String,
    /// Type of the value.
    pub type_: IocType,
    /// Comparison method.
    pub method: IocMethod,
    /// End of the validity.
    pub valid_until: Timestamp,
    /// Value.
    pub value: String,
    /// Account IDs.
    pub account_ids: Vec<String>,
    /// ID of the indicator at its source.
    pub external_id: Option<String>,
    /// Description.
    pub description: Option<String>,
}

const PREFIX: &str = "SentinelOne.IOC";
pub(super) const TYPES: &[&str] = &["DNS", "IPV4", "IPV6", "MD5", "SHA1", "SHA256", "URL"];
const METHODS: &[&str] = &["EQUALS"];

impl Command for CreateIoc {
    const INFO: CommandInfo = CommandInfo {
        name: "create-ioc",
        full_name: "sentinelone-create-ioc",
        topic: Topic::Detection,
        summary: "Add an indicator to the threat intelligence database",
        example: "s1 create-ioc --account-ids 410000000000000001 --name 'C2 server' --source osint --type \
                  IPV4 --method EQUALS --value 203.0.113.7 --valid-until 2036-01-01",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["iocs_create"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field("SentinelOne.IOC.UUID", "String", "ID of the indicator", "uuid"),
        ContextPath::field("SentinelOne.IOC.Name", "String", "Name", "name"),
        ContextPath::field("SentinelOne.IOC.Source", "String", "Source of the indicator", "source"),
        ContextPath::field("SentinelOne.IOC.Type", "String", "Type of the value", "type"),
        ContextPath::field("SentinelOne.IOC.BatchId", "String", "ID of the upload", "batchId").no_column(),
        ContextPath::field("SentinelOne.IOC.Creator", "String", "Name of the creator", "creator"),
        ContextPath::field("SentinelOne.IOC.Scope", "String", "Scope level", "scope"),
        ContextPath::field("SentinelOne.IOC.ScopeId", "String", "ID of the scope", "scopeId"),
        ContextPath::field("SentinelOne.IOC.ValidUntil", "String", "End of the validity", "validUntil"),
        ContextPath::field("SentinelOne.IOC.Description", "String", "Description", "description").no_column(),
        ContextPath::field(
            "SentinelOne.IOC.ExternalId",
            "String",
            "ID of the indicator at its source",
            "externalId",
        )
        .no_column(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{List, String, Time};
        vec![
            Argument::new("name", String, "Name of the indicator.").required(),
            Argument::new("source", String, "Source of the indicator.").required(),
            Argument::new("type", String, "Type of the value.").required().values(TYPES),
            Argument::new("method", String, "Comparison method.").required().values(METHODS),
            Argument::new("validUntil", Time, "End of the validity, in the future.").required(),
            Argument::new("value", String, "Value of the indicator.").required(),
            Argument::new("account_ids", List, "Account IDs.").required(),
            Argument::new("externalId", String, "ID of the indicator at its source."),
            Argument::new("description", String, "Description."),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let valid_until = arguments.future_time("validUntil")?;
        Ok(Self {
            name: arguments.required("name")?,
            source: arguments.required("source")?,
            type_: arguments.required_choice_ignore_case("type", TYPES)?,
            method: arguments.required_choice_ignore_case("method", METHODS)?,
            valid_until: valid_until.ok_or_else(|| arguments.error("validUntil", "is missing"))?,
            value: arguments.required("value")?.trim().to_owned(),
            account_ids: arguments.required_list("account_ids")?,
            external_id: arguments.string("externalId")?,
            description: arguments.string("description")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        if self.account_ids.is_empty() {
            return Err(argument_error(
                Self::INFO.name,
                "account_ids",
                "is missing; expected at least one value",
            ));
        }
        let mut data = IocData::new(self.source.clone(), self.value.clone())
            .name(self.name.clone())
            .type_(self.type_.clone())
            .method(self.method.clone())
            .valid_until(self.valid_until.clone());
        data.external_id = self.external_id.clone();
        data.description = self.description.clone();
        let scope = ScopeFilter::default().account_ids(&self.account_ids);
        Ok(vec![raw::create(&IocsCreateRequest::new([data]).filter(scope))?.with_response_type()])
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let outputs = (PREFIX, Self::OUTPUTS);
        create(client, actions, &self.value, "uuid", outputs).await
    }
}
