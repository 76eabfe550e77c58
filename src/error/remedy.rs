//! Remedies of errors.

use http::StatusCode;
use sentinelone_raw::runtime::{Operation, OperationKind, RequestErrorKind, ResponseFormat};
use sentinelone_raw::users;

use super::document::NOT_THE_API;
use super::refusal::{Refusal, Wording};
use super::{ArchiveFault, Error, ErrorKind, ErrorRepr};
use crate::text::replace_control_chars;

/// Remedy for an action without a usable response.
const CHECK_RESULT: &str = "the request may have taken effect; check the result before you retry";

/// Remedy for a rejected verification code.
const CHECK_CODE: &str = "check the verification code, which is valid for a short time";

/// Operations that remedies name, and their commands.
const COMMANDS: [(&str, &str); 3] = [
    ("deep_visibility_get_query_status", "get-dv-query-status"),
    ("deep_visibility_ping_power_query", "ping-power-query"),
    ("remote_scripts_fetch_results", "get-remote-script-task-results"),
];

impl ArchiveFault {
    /// Returns the remedy.
    pub(crate) fn help(self) -> &'static str {
        match self {
            Self::Download => "download the archive again; no file remains",
            Self::Password => "check the password and download the archive again; no file remains",
            Self::Content => "download the archive without unpacking it and inspect it; no file remains",
        }
    }
}

impl Error {
    /// Returns the remedy in one sentence; `None` if the message itself says what is allowed. For an error of the API it
    /// follows the HTTP status and the words of the console. [`resume_hint`](Self::resume_hint) is not a part of it.
    pub fn help(&self) -> Option<String> {
        let help = match &self.0.repr {
            ErrorRepr::Configuration { help, .. } => (*help)?.to_owned(),
            ErrorRepr::Caused { help, .. } => help.clone()?,
            ErrorRepr::InvalidRequest(_) => self.request_help()?.to_owned(),
            _ => self.help_of_kind(),
        };
        // A remedy may have text of the console, such as the target of a redirect.
        Some(replace_control_chars(&help)).filter(|help| !help.is_empty())
    }

    /// Returns how to resume a job that continues on the console, in one sentence; `None` if no job continues.
    pub fn resume_hint(&self) -> Option<&str> {
        self.0.resume_hint.as_deref()
    }

    fn help_of_kind(&self) -> String {
        match self.kind() {
            ErrorKind::Configuration => "correct the client configuration".into(),
            ErrorKind::InvalidRequest => "read one page after the other; nothing was sent".into(),
            ErrorKind::Connect => self.connect_help(),
            ErrorKind::RateLimitTimeout => {
                "retry later, or increase the call timeout; nothing was sent".into()
            }
            ErrorKind::Timeout | ErrorKind::ConnectionLost => {
                if self.is_action() {
                    CHECK_RESULT.into()
                } else {
                    "retry; the operation only reads".into()
                }
            }
            ErrorKind::Api => self.api_help(),
            ErrorKind::Decode if self.0.page.is_some() || self.foreign_text().is_some() => {
                if self.is_action() {
                    format!("{CHECK_RESULT}; {NOT_THE_API}")
                } else {
                    NOT_THE_API.into()
                }
            }
            ErrorKind::Decode | ErrorKind::ResponseTooLarge if self.is_action() => {
                "the request has probably taken effect; check the result before you retry".into()
            }
            ErrorKind::Decode => {
                "the response has an unexpected format; the error contains the body".into()
            }
            ErrorKind::ResponseTooLarge => {
                "request fewer items at once, or increase the maximum response size of the client".into()
            }
            ErrorKind::WaitTimeout => match &self.0.repr {
                ErrorRepr::WaitTimeout(hint) => hint.clone(),
                _ => String::new(),
            },
            ErrorKind::NoResult => match &self.0.repr {
                // A page in place of the file of a link; the console URL is correct.
                _ if self.0.page.is_some() && self.returns_links() => {
                    format!("check the network and the proxy; {}", self.new_links_help())
                }
                ErrorRepr::NoResult { help, .. } => help.clone(),
                _ => String::new(),
            },
            ErrorKind::Io => "check the directory, its permissions and the free disk space".into(),
            ErrorKind::Archive => match &self.0.repr {
                ErrorRepr::Archive { fault: ArchiveFault::Download, .. } if self.returns_links() => {
                    format!("{}; no file remains", self.new_links_help())
                }
                ErrorRepr::Archive { fault, .. } => fault.help().into(),
                _ => String::new(),
            },
            ErrorKind::Journal => match &self.0.repr {
                ErrorRepr::Journal { help, .. } => (*help).into(),
                _ => String::new(),
            },
            ErrorKind::EmptyPages => {
                "narrow the filter, or continue later; the items so far are valid, but the list may never end".into()
            }
            ErrorKind::RepeatedCursor => {
                "narrow the filter to get the remaining items; the items so far are valid, but the list would never end"
                    .into()
            }
        }
    }

    pub(super) fn is_action(&self) -> bool {
        self.0.operation.is_some_and(|operation| operation.kind == OperationKind::Action)
    }

    fn connect_help(&self) -> String {
        if self.0.link.is_some() {
            return "check the network and the proxy, then retry; nothing was sent".into();
        }
        let short = self.0.client.as_ref().and_then(|client| client.short_host.as_ref());
        match short.filter(|_| self.is_dns_failure()) {
            Some(name) => format!(
                "set the console URL to the full host name, such as https://{name}.sentinelone.net; nothing was sent"
            ),
            None if self.is_dns_failure() => {
                "check the host name in the console URL, the DNS server and the proxy; nothing was sent"
                    .into()
            }
            None => "check the console URL, the network and the proxy, then retry; nothing was sent".into(),
        }
    }

    fn api_help(&self) -> String {
        let Some(status) = self.status() else { return String::new() };
        if self.0.link.is_some() {
            return self.link_help(status);
        }
        if status.is_redirection() {
            return match &self.0.redirect {
                Some(target) => {
                    format!(
                        "check the address in the console URL and the proxy; the server redirects to {target}"
                    )
                }
                None => "check the address in the console URL; the server redirects to another URL".into(),
            };
        }
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return "set the user name and the password of the proxy in its URL".into();
        }
        if self.0.page.is_some() && status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
            return NOT_THE_API.into();
        }
        if let Some(help) = self.refusal_help(status) {
            return help;
        }
        match status.as_u16() {
            400 if self.is_elevation() => CHECK_CODE.into(),
            401 => self.unauthorized_help(),
            402 | 403 => self.permission_help(),
            404 => "check the ID, and that this console supports the operation on this API version".into(),
            405 | 501 => {
                "check the API version; this console does not support the operation, so a retry has the same \
                          result"
                    .into()
            }
            409 if self.is_temporary_conflict() => self.conflict_help(),
            429 => match self.retry_after_header() {
                Some(header) => format!("wait before the next request (Retry-After: {header})"),
                None => "wait before the next request; there were too many".into(),
            },
            400..500 => "correct the request as described in the error of the console".into(),
            500.. if self.is_action() => {
                "the console failed, and the request may have taken effect; check the result before you retry"
                    .into()
            }
            500.. => "retry later; the console failed".into(),
            _ => "check the errors of the console; the request may have taken effect in part".into(),
        }
    }

    /// Returns the remedy if the console names the reason of a refusal.
    fn refusal_help(&self, status: StatusCode) -> Option<String> {
        let wording = match status.as_u16() {
            401..=403 | 451 => Wording::Refusal,
            400 | 404..=428 | 501 => Wording::Unmistakable,
            _ => return None,
        };
        let text = self.refusal_text();
        let mut reasons = Refusal::of(&text, wording);
        if reasons.is_empty() {
            let titles: Vec<&str> =
                self.api_errors().iter().filter_map(|error| error.title.as_deref()).collect();
            reasons = Refusal::of(&titles.join(". "), wording);
        }
        let remedies: Vec<String> = reasons.into_iter().map(|refusal| self.remedy(refusal)).collect();
        (!remedies.is_empty()).then(|| remedies.join("; "))
    }

    /// Returns the text in which the reason of a refusal is searched.
    fn refusal_text(&self) -> String {
        match self.api_errors() {
            [] => self.body().map(|body| String::from_utf8_lossy(body).into_owned()).unwrap_or_default(),
            errors => Refusal::text_of(errors),
        }
    }

    /// Returns whether the request itself had the verification code.
    fn is_elevation(&self) -> bool {
        self.operation() == Some(users::ELEVATE_SESSION.id)
    }

    fn remedy(&self, refusal: Refusal) -> String {
        match refusal {
            Refusal::ProtectedAction if self.is_elevation() => CHECK_CODE.into(),
            Refusal::ProtectedAction => {
                "the console protects this action with a verification code; elevate the session of the token's user \
                 with it first (users_elevate_session, or --protected-actions-code of a script command), or run the \
                 action in the console"
                    .into()
            }
            Refusal::Approval => {
                let fields = |operation: &'static Operation| operation.body_parts.iter().flat_map(|part| part.fields);
                let can_request =
                    self.0.operation.is_some_and(|operation| fields(operation).any(|one| one.name == "requiresApproval"));
                match can_request {
                    true => "request the approval with requiresApproval (--requires-approval true), and approve the \
                             run in the console"
                        .into(),
                    false => "the console requires an approval; approve the action there".into(),
                }
            }
            Refusal::Scope => {
                "use the token of a user or service user with a single scope, of the level that the operation requires"
                    .into()
            }
            Refusal::Feature => {
                let license = self.access().and_then(|access| access.strip_prefix("a license of "));
                let license = license.map(|suite| format!(" ({suite})")).unwrap_or_default();
                format!("check that the license of the scope{license} includes the feature, and that it is enabled there")
            }
            Refusal::Support => "contact SentinelOne support, which can enable the operation".into(),
            Refusal::ExpiredToken => "create a new token; this one has expired".into(),
        }
    }

    fn has_detail(&self) -> bool {
        self.api_errors().iter().any(|error| error.detail.is_some())
    }

    /// Returns what the operation requires, in addition to its permissions.
    fn access(&self) -> Option<&'static str> {
        self.0.operation?.access
    }

    /// Returns the permissions that the operation requires, as a noun phrase.
    fn permissions(&self) -> Option<String> {
        let permissions = &self.0.operation?.permissions;
        match (permissions.required, permissions.optional) {
            ([], []) => None,
            ([], [one]) => Some(format!("the permission {one}, which some values need")),
            ([], optional) => Some(format!("one of the permissions {}", optional.join(", "))),
            ([one], _) => Some(format!("the permission {one}")),
            (all, _) => Some(format!("the permissions {}", all.join(", "))),
        }
    }

    fn permission_help(&self) -> String {
        let (access, permissions) = (self.access().map(str::to_owned), self.permissions());
        let documented: Vec<String> = permissions.iter().chain(&access).cloned().collect();
        let documented = documented.join(", and ");
        if self.has_detail() && Refusal::is_unknown(&self.refusal_text()) {
            let documented =
                if documented.is_empty() { documented } else { format!(" (documented: {documented})") };
            return format!(
                "follow the reason of the console; check the license and the features of the scope, and the permissions \
                 and the scope of the token's user{documented}"
            );
        }
        let role = permissions.map(|permissions| format!("whose role has {permissions}"));
        match (access, role) {
            (Some(license), role) if license.starts_with("a license ") => {
                let role = role.map(|role| format!("{role}, ")).unwrap_or_default();
                format!(
                    "check that the scope has {license}, and use the token of a user {role}with access to the scope"
                )
            }
            (Some(access), role) => {
                let role = role.map(|role| format!("{role}, ")).unwrap_or_default();
                format!("use the token of a user with {access}, {role}and with access to the scope")
            }
            (None, Some(role)) => format!("use the token of a user {role}, and with access to the scope"),
            (None, None) => {
                "check the role and the scope of the token's user; they do not allow the operation".into()
            }
        }
    }

    fn unauthorized_help(&self) -> String {
        let client = self.0.client.as_ref();
        if let Some(time) = client.and_then(|client| client.token_expired.as_ref()) {
            return format!("create a new token; this one expired at {}", time.as_str());
        }
        if self.is_elevation() {
            return format!("{CHECK_CODE}; if it is valid, create a new token");
        }
        if client.is_some_and(|client| client.accepted.any()) {
            return "keep the token, which the console accepts for other operations; check whether this operation is \
                    available to API tokens, to service users, and in the scope of the token's user"
                .into();
        }
        if self.has_detail() && Refusal::is_unrelated_to_token(&self.refusal_text()) {
            return self.permission_help();
        }
        "create a new token; this one is invalid, expired or revoked, or belongs to another console".into()
    }

    /// Returns whether the error is a status 409 that ends without a change of the request: a query is not finished, or
    /// another query of the user is running. The cancellation of a query, and the results of a query that ended without
    /// any, conflict permanently.
    pub(crate) fn is_temporary_conflict(&self) -> bool {
        let is_query =
            |operation: &Operation| operation.resource == "deep_visibility" && !operation.destructive;
        self.status() == Some(StatusCode::CONFLICT)
            && self.0.operation.is_some_and(is_query)
            // A new query has no state; the text is about the other query.
            && (self.is_action() || !says_that_query_ended(&Refusal::text_of(self.api_errors())))
    }

    fn conflict_help(&self) -> String {
        // Each kind of query has its own IDs.
        let is_power_query = self.operation().is_some_and(|id| id.ends_with("power_query"));
        let status = with_command(if is_power_query {
            "deep_visibility_ping_power_query"
        } else {
            "deep_visibility_get_query_status"
        });
        if self.is_action() {
            return format!(
                "retry when the other query of this user is finished; {status} reports the state of a query"
            );
        }
        format!("retry when the query is finished; {status} reports its state")
    }

    /// Returns whether the files of the operation are behind links, and not in its response.
    fn returns_links(&self) -> bool {
        self.0.operation.is_some_and(|operation| operation.response_format != ResponseFormat::Binary)
    }

    fn new_links_help(&self) -> String {
        let command = with_command(self.operation().unwrap_or_default());
        format!("request the results again with {command}, which returns new links")
    }

    /// Returns the remedy for the response to a link of the console.
    fn link_help(&self, status: StatusCode) -> String {
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return "retry later; the server of the file failed".into();
        }
        if status.is_redirection() {
            let target = self.0.redirect.as_deref().unwrap_or("another URL");
            let again = self.new_links_help();
            return format!(
                "check the network and the proxy; {again}; the server of the file redirects to {target}"
            );
        }
        self.new_links_help()
    }

    /// Returns the remedy for an invalid request whose message has none.
    fn request_help(&self) -> Option<&'static str> {
        match self.request_error()?.kind() {
            RequestErrorKind::EmptyFilter => {
                Some("set a filter field, or allow the action on everything in scope")
            }
            RequestErrorKind::EmptyList(_) => Some("omit the field, or add an item"),
            RequestErrorKind::Blank(_) => Some("omit the field, or set a value"),
            _ => None,
        }
    }
}

/// Returns whether the text of the console says that a query ended without results, and not that it runs.
fn says_that_query_ended(text: &str) -> bool {
    const RUNS: [&str; 10] = [
        "running",
        "progress",
        "being processed",
        "pending",
        "still",
        "not finished",
        "not complete",
        "not ready",
        "not yet",
        "another query",
    ];
    let text = text.to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_alphabetic());
    let has_ended = words.any(|word| ["cancel", "fail", "expire"].iter().any(|end| word.starts_with(end)));
    has_ended && !RUNS.iter().any(|words| text.contains(words))
}

/// Returns an operation for a remedy, with the command of `s1` that calls it.
fn with_command(operation: &str) -> String {
    let command = COMMANDS.iter().find(|(id, _)| *id == operation);
    command.map_or_else(|| operation.to_owned(), |(id, command)| format!("{id} (s1 {command})"))
}
