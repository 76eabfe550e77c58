//! Checks of exchanges against a contract.

use std::collections::BTreeSet;

use super::contract::{Contract, OperationMatch};
use super::finding::{ContractRule, Finding};
use super::fixture::{Exchange, ProvenanceKind};
use super::secret_text::contains_jwt;

/// Validates an exchange against the [bundled](Contract::bundled) specification: request, status code and response.
/// Recordings are also checked for secrets. Returns no findings if the exchange conforms.
pub fn check(exchange: &Exchange) -> Vec<Finding> {
    Contract::bundled().check_exchange(exchange)
}

impl Contract {
    /// Validates an exchange against the contract like [`Exchange::check`], with a finding if the specification does not
    /// have the operation. Values at the location of a secret are not quoted.
    pub fn check_exchange(&self, exchange: &Exchange) -> Vec<Finding> {
        self.check_exchange_with_body(exchange, &exchange.response_bytes())
    }

    pub(super) fn check_exchange_with_body(&self, exchange: &Exchange, response: &[u8]) -> Vec<Finding> {
        exchange.check_with_body(self, response).unwrap_or_else(|| {
            let message =
                format!("the specification has no operation {} {}", exchange.method(), exchange.path());
            let mut findings = vec![Finding::new(ContractRule::UndeclaredOperation, "request.path", message)];
            if exchange.is_recording() {
                findings.extend(self.secrets_outside_response(exchange));
                findings.extend(self.check_response_body(None, exchange.status, response, true).secrets);
            }
            // The path of an unmatched operation can hold a secret.
            let secret = contains_jwt(&exchange.operation);
            finish_findings(findings, if secret { exchange.method() } else { &exchange.operation })
        })
    }
}

impl Exchange {
    /// Returns the operation of a contract that matches the method and the path; `None` if no operation matches.
    pub fn match_operation<'a>(&self, contract: &'a Contract) -> Option<OperationMatch<'a>> {
        contract.match_operation(self.method(), self.path())
    }

    /// Validates the exchange against a contract and returns the findings; `None` if the contract does not have the
    /// operation.
    ///
    /// - If the operation exists in other API versions only, that is a finding.
    /// - Path values are not validated if the file has only their names.
    /// - Missing parameters and a missing body of a published request are ignored, since they are often omitted.
    /// - A recording is also checked for [secrets](Contract::check_secrets).
    pub fn check(&self, contract: &Contract) -> Option<Vec<Finding>> {
        self.check_with_body(contract, &self.response_bytes())
    }

    /// Validates the exchange like [`check`](Self::check), with this response body.
    fn check_with_body(&self, contract: &Contract, response: &[u8]) -> Option<Vec<Finding>> {
        let found = self.match_operation(contract)?;
        let body = self.request.body.as_ref();
        let mut findings = contract.check_request(found.operation, &found.path_values, &self.query(), body);
        findings.extend(contract.check_headers(found.operation, &self.request.headers));
        if self.path().contains('{') {
            findings.retain(|finding| !finding.location.starts_with("request.path"));
        }
        if self.provenance.kind == ProvenanceKind::Published {
            let omitted = |finding: &Finding| match finding.rule {
                ContractRule::MissingParameter => true,
                ContractRule::MissingField => finding.location == "request.body",
                _ => false,
            };
            findings.retain(|finding| !omitted(finding));
        }
        findings.extend(contract.check_version(&found, self.path()));
        let response =
            contract.check_response_body(Some(found.operation), self.status, response, self.is_recording());
        findings.extend(response.schema);
        if self.is_recording() {
            findings.extend(contract.secrets_outside_response(self));
        }
        findings.extend(response.secrets);
        Some(finish_findings(findings, found.operation.id()))
    }
}

/// Adds the operation to the findings of an exchange, and redacts the findings at the location of a secret.
fn finish_findings(findings: Vec<Finding>, operation: &str) -> Vec<Finding> {
    let secrets: BTreeSet<String> = findings
        .iter()
        .filter(|finding| finding.rule == ContractRule::UnredactedSecret)
        .map(|finding| finding.location.clone())
        .collect();
    let finish = |finding: Finding| {
        let finding = if secrets.contains(&finding.location) { finding.redacted() } else { finding };
        finding.with_operation(operation)
    };
    findings.into_iter().map(finish).collect()
}
