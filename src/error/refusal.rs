//! The reason of a refusal, derived from the text of the console.
//!
//! The text differs between releases, so that single words are searched and not sentences.

use super::ApiError;

/// Why the console refused a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The action requires a verification code or an elevated session.
    ProtectedAction,
    /// The action requires an approval.
    Approval,
    /// The user has several scopes, or a scope of another level.
    Scope,
    /// The license of the scope does not include a feature, or the feature is disabled.
    Feature,
    /// The vendor disabled the operation, or must enable it.
    Support,
    /// The token has expired.
    ExpiredToken,
}

/// Which words are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wording {
    /// Words of a refusal, for a status that refuses access.
    Refusal,
    /// Only words that have no other meaning, for a status with many causes.
    Unmistakable,
}

/// Words at the beginning of which a match starts. A space at the end makes the end of a word part of it.
const PROTECTED: &[&str] = &[
    "protected action",
    "2fa",
    "two factor",
    "twofactor",
    "twofa",
    "second factor",
    "mfa ",
    "multi factor",
    "multifactor",
    "one time ",
    "otp",
    "totp",
    "verification code",
    "confirmation code",
    "security code",
    "authentication code",
    "protection code",
    "protected code",
    "passcode",
    "authenticator",
    "reauthenticat",
    "re authenticat",
];
const APPROVAL: &[&str] = &["approval", "approve"];
const CREDENTIALS: &[&str] = &["token", "session", "credential"];
/// Credentials of a request, unlike the token of a cursor or of an installation.
const API_CREDENTIALS: &[&str] = &["api token", "apitoken", "access token", "authentication token"];
const LICENSE: &[&str] = &["licen", "sku ", "skus ", "subscription", "entitle", "trial "];
const SEVERAL_SCOPES: &[&str] = &[
    "several scope",
    "multi scope",
    "multiscope",
    "multiple scope",
    "many scope",
    "more than one scope",
    "single scope",
    "one scope",
    "several account",
    "multi account",
    "multiple account",
    "more than one account",
    "single account",
    "several site",
    "multi site",
    "multiple site",
    "more than one site",
    "single site",
    "scopes exceed",
    "number of scopes",
    "cross account",
    "cross site",
];
const SCOPE_LEVEL: &[&str] = &[
    "global level",
    "tenant level",
    "account level",
    "site level",
    "group level",
    "scope level",
    "scope type",
    "global user",
    "tenant user",
    "account user",
    "site user",
    "group user",
    "one account ",
    "one site ",
];
/// A scope by its level. It is a required level only with a word of [`REQUIRED`].
const LEVEL_SCOPE: &[&str] = &["global scope", "tenant scope", "account scope", "site scope", "group scope"];
const REQUIRED: &[&str] = &["only ", "must ", "require", "need"];
const SUPPORT: &[&str] = &[
    "contact support",
    "contact sentinelone",
    "contact the vendor",
    "contact your sentinelone",
    "contact our",
    "sentinelone support",
    "customer support",
    "technical support",
    "support team",
    "support ticket",
    "open a ticket",
    "support case",
    "support to ",
    "by support",
    "via support",
    "through support",
    "from support",
    "account manager",
    "customer success",
    "representative ",
    "reach out to",
    "switched off",
    "turned off",
    "disabled by sentinelone",
    "blocked by sentinelone",
    "disabled by the vendor",
    "deactivated by",
];
const FEATURE: &[&str] = &[
    "feature",
    "module",
    "package",
    "add on ",
    "addon",
    "bundle",
    "capabilit",
    "not available",
    "unavailable",
    "isnt available",
    "arent available",
    "not enabled",
    "isnt enabled",
    "arent enabled",
    "not been enabled",
    "disabled",
    "deactivated",
    "not include",
    "doesnt include",
    "not activated",
    "isnt activated",
    "not purchased",
    "not supported ",
    "upgrade",
    "plan ",
    "plans ",
    "edition ",
    "tier ",
    // Products of the vendor.
    "singularity ",
    "vigilance ",
    "ranger ",
    "purple ai ",
];
/// Words about the role of the user, which take precedence over those of [`FEATURE`].
const PERMISSION: &[&str] =
    &["permission", "privilege", "role ", "roles ", "authorized", "authorised", "allowed to ", "access to "];
const LACKS: &[&str] =
    &[" has no ", " have no ", " not have ", " doesnt have ", " dont have ", " lacks ", " without "];
/// Words of a refusal that names no reason.
const UNSPECIFIC: &[&str] = &["forbidden", "denied", "insufficient", "not allowed", "no access", "unauthori"];
/// Words of a refusal of the network from which a request comes.
const NETWORK: &[&str] = &["ip address", "ip range", "this ip", "your ip", "client ip", "source ip"];
/// Words of a refused token, unlike those of an operation that is not available to it.
const AUTHENTICATION: &[&str] = &[
    "token is",
    "token was",
    "token has",
    "invalid token",
    "invalid api token",
    "no token",
    "bad token",
    "credential",
    "session",
    "authenti",
    "authori",
    "unauthenti",
    "unauthori",
    "login",
    "log in",
    "logged",
    "sign in",
    "signed in",
    "signature",
    "jwt",
    "api key",
    "header",
];
/// Words of a validation error. Other words of its text are names or values of the request.
const VALIDATION: &[&str] = &[
    "not a valid",
    "invalid",
    "field",
    "parameter",
    "choice",
    "must be",
    "already exist",
    "not found",
    "not exist",
    "doesnt exist",
    "missing data",
];
/// What a license belongs to.
const LICENSED: &[&str] =
    &["scope", "site", "account", "tenant", "group", "deployment", "console", "customer", "organization"];
const PERSON: &[&str] = &["user", "you ", "token", "caller"];

impl Refusal {
    /// Returns the reasons in the order of their importance; empty if the text has none of the words.
    pub(super) fn of(text: &str, wording: Wording) -> Vec<Self> {
        let text = words(text);
        let has = |words: &[&str]| has_word(&text, words);
        let is_refusal = wording == Wording::Refusal;
        if !is_refusal && has(VALIDATION) {
            return Vec::new();
        }
        let support = has(SUPPORT).then_some(Self::Support);
        let is_protected = has(PROTECTED)
            || has(&["elevat"]) && has(&["session"])
            || has(&["elevation"]) && !has(PERMISSION);
        let is_feature = has(FEATURE) && !has(PERSON) || has(&["feature"]) || lacks_feature(&text);
        let is_feature = is_refusal && is_feature && !has(PERMISSION);
        let is_level = has(SCOPE_LEVEL) || has(LEVEL_SCOPE) && has(REQUIRED);
        let expired = has(&["expired", "expiry", "has been revoked"]);
        let reasons = if is_protected {
            vec![Self::ProtectedAction]
        } else if has(LICENSE) || is_refusal && expired && has(LICENSED) {
            vec![Self::Feature]
        } else if expired && has(if is_refusal { CREDENTIALS } else { API_CREDENTIALS }) {
            vec![Self::ExpiredToken]
        } else if has(SEVERAL_SCOPES) && (is_refusal || has(PERSON)) {
            vec![Self::Scope]
        } else if is_refusal && is_level {
            // A feature that is enabled for another level, or for scopes of another level.
            [is_feature.then_some(Self::Feature), Some(Self::Scope)].into_iter().flatten().collect()
        } else if is_refusal && has(APPROVAL) {
            vec![Self::Approval]
        } else {
            is_feature.then_some(Self::Feature).into_iter().collect()
        };
        support.into_iter().chain(reasons).collect()
    }

    /// Returns whether a text has a reason without any known word, such as a reason in another language.
    pub(super) fn is_unknown(text: &str) -> bool {
        let text = words(text);
        text.trim().contains(' ')
            && !has_word(&text, PERMISSION)
            && (!has_word(&text, UNSPECIFIC) || has_word(&text, NETWORK))
    }

    /// Returns whether the text of a status 401 has another reason than an invalid token.
    pub(super) fn is_unrelated_to_token(text: &str) -> bool {
        let words = words(text);
        (Self::is_unknown(text) || has_word(&words, PERMISSION)) && !has_word(&words, AUTHENTICATION)
    }

    /// Returns the text from which the reason is derived: the details, or the titles of entries without details.
    pub(super) fn text_of(errors: &[ApiError]) -> String {
        let part = |error: &ApiError| error.detail.clone().or_else(|| error.title.clone());
        errors.iter().filter_map(part).collect::<Vec<_>>().join(". ")
    }
}

/// Returns whether a scope lacks something: neither a user, nor a permission.
fn lacks_feature(text: &str) -> bool {
    /// Number of words in front of the verb in which the subject is searched.
    const SUBJECT: usize = 4;
    LACKS.iter().filter_map(|verb| text.split_once(verb)).any(|(before, _)| {
        let mut subject: Vec<&str> = before.rsplit(' ').take(SUBJECT).collect();
        subject.reverse();
        let subject = format!(" {} ", subject.join(" "));
        has_word(&subject, LICENSED) && !has_word(&subject, PERSON)
    })
}

/// Returns the words in lower case, each between two spaces.
fn words(text: &str) -> String {
    let mut words = String::from(" ");
    for c in text.chars().filter(|c| !matches!(c, '\'' | '’')) {
        if c.is_alphanumeric() {
            words.extend(c.to_lowercase());
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    words.push(' ');
    words
}

fn has_word(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.match_indices(word).any(|(at, _)| text[..at].ends_with(' ')))
}

#[cfg(test)]
mod tests {
    use super::Refusal::{Approval, ExpiredToken, Feature, ProtectedAction, Scope, Support};
    use super::{Refusal, Wording};

    #[test]
    fn refusal_follows_the_words_of_the_console() {
        let cases: &[(&str, &[Refusal])] = &[
            ("This scope does not have Custom Rules enabled.", &[Feature]),
            ("This scope has no Custom Rules", &[Feature]),
            ("Feature remote_shell is not available for this scope", &[Feature]),
            ("The SKU of the site doesn't include Rogues", &[Feature]),
            ("Your licence has expired", &[Feature]),
            ("The account expired", &[Feature]),
            ("Ranger is not enabled on this account", &[Feature]),
            ("Package 'Complete' is required", &[Feature]),
            ("The account-level license lacks Deep Visibility", &[Feature]),
            ("This operation requires Singularity Complete", &[Feature]),
            ("Upgrade your plan to use this endpoint", &[Feature]),
            ("Hunting isn't part of this tenant's plan", &[Feature]),
            ("Requested by the user svc of the site Lab; the account has no Custom Rules", &[Feature]),
            ("Not enabled at the account level", &[Feature, Scope]),
            ("Available for the tenant scope only", &[Scope]),
            ("Call it as a user scoped to one account", &[Scope]),
            ("Open a ticket", &[Support]),
            ("Authenticator code missing", &[ProtectedAction]),
            ("The number of scopes of this user is too high", &[Scope]),
            ("The site scope has no Ranger", &[Feature]),
            ("Reach out to your representative", &[Support]),
            ("Elevation required", &[ProtectedAction]),
            ("Elevation of privileges required", &[]),
            ("The user of site Lab has no permission", &[]),
            ("This page doesn't support multi-scopes users yet", &[Scope]),
            ("Users of several scopes cannot use this feature", &[Scope]),
            ("Only Account level users may list these", &[Scope]),
            ("This feature is not supported for users with multiple sites", &[Scope]),
            ("Disabled. Contact support to enable it", &[Support, Feature]),
            ("The endpoint was switched off", &[Support]),
            ("Please open a support ticket", &[Support]),
            ("Protected action: two-factor code required", &[ProtectedAction]),
            ("An elevated session is required", &[ProtectedAction]),
            ("2FA code is missing", &[ProtectedAction]),
            ("The run needs an approval", &[Approval]),
            ("Token expired", &[ExpiredToken]),
            ("User has no permission to view threats of this site", &[]),
            ("You don't have access to this site", &[]),
            ("The role does not include this feature", &[]),
            ("Insufficient permissions", &[]),
            ("Elevated privileges are required", &[]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(Refusal::of(text, Wording::Refusal), *expected, "{text}");
        }
    }

    #[test]
    fn refusal_with_unmistakable_words_ignores_validation_errors() {
        let cases: &[(&str, &[Refusal])] = &[
            ("The package is not available", &[]),
            ("Value disabled is not allowed for the field feature", &[]),
            ("The site has expired", &[]),
            ("Not valid for a group level rule", &[]),
            ("The license of the site does not include this", &[Feature]),
            ("Not for multi-scope users", &[Scope]),
            ("Filter by at least one scope", &[]),
            ("More than one site is not allowed in the filter", &[]),
            ("The token of the cursor has expired", &[]),
            ("The API token has expired", &[ExpiredToken]),
            ("twoFaEnabled: Not a valid boolean.", &[]),
            ("sku: Not a valid choice", &[]),
            ("Group OTP servers already exists", &[]),
            ("Agent mfa-proxy not found", &[]),
            ("A two-factor code is required", &[ProtectedAction]),
        ];
        for (text, expected) in cases {
            assert_eq!(Refusal::of(text, Wording::Unmistakable), *expected, "{text}");
        }
    }
}
