//! The contexts of the parameters and bodies of an exchange.

use std::collections::BTreeMap;

use serde_json::Value;

use super::contract::{Contract, OperationMatch};
use super::fixture::Exchange;
use super::operation::{OperationSpec, ParameterLocation};
use super::schema::Schemas;
use super::value_context::{FieldDeclaration, ValueContext};

/// An exchange with its operation. It returns the contexts of parameters and bodies.
pub(super) struct ExchangeContext<'a> {
    schemas: &'a Schemas,
    pub(super) found: Option<OperationMatch<'a>>,
    status: u16,
}

impl<'a> ExchangeContext<'a> {
    pub(super) fn new(contract: &'a Contract, exchange: &Exchange) -> Self {
        Self {
            schemas: &contract.schemas,
            found: contract.match_operation(exchange.method(), exchange.path()),
            status: exchange.status,
        }
    }

    fn operation(&self) -> Option<&'a OperationSpec> {
        self.found.as_ref().map(|found| found.operation)
    }

    /// Returns the values of the path parameters.
    pub(super) fn path_values(&self) -> impl Iterator<Item = (&str, &str)> {
        let values: Option<&BTreeMap<String, String>> = self.found.as_ref().map(|found| &found.path_values);
        values.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn parameter(
        &self,
        location: ParameterLocation,
        name: &str,
    ) -> (ValueContext<'a>, FieldDeclaration) {
        let mut all = self.operation().map(|operation| operation.parameters().iter()).into_iter().flatten();
        match all.find(|parameter| parameter.is_named(location, name)) {
            Some(parameter) => {
                let schema = Some(&parameter.schema);
                (
                    ValueContext::new(self.schemas, schema, Some(&parameter.x_s1), name, false),
                    FieldDeclaration::Declared,
                )
            }
            None => (ValueContext::new(self.schemas, None, None, name, false), FieldDeclaration::Undeclared),
        }
    }

    pub(super) fn request_body(&self) -> ValueContext<'a> {
        self.root(self.operation().and_then(OperationSpec::body_schema))
    }

    pub(super) fn response_body(&self) -> ValueContext<'a> {
        self.root(self.operation().and_then(|operation| operation.response_schema(self.status)))
    }

    fn root(&self, schema: Option<&'a Value>) -> ValueContext<'a> {
        ValueContext::root(self.schemas, schema)
    }
}
