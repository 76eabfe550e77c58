//! A mock console that repeats the secrets of a request in its response.

use serde_json::{Value, json};
use wiremock::{Request, Respond, ResponseTemplate};

pub(crate) const TOKEN: &str = "eyJhbGciOi-token-of-the-test";
pub(crate) const PASSWORD: &str = "Pass\"word\\-of-the-test-1";
pub(crate) const API_KEY: &str = "api-key-of-the-test";
pub(crate) const VERIFICATION_CODE: &str = "471147-of-the-test";
pub(crate) const PROXY_PASSWORD: &str = "proxy-password-of-the-test";

/// Returns the request data, including secrets, in one of four formats: an API error, an HTML page, a success with API
/// errors, and a response that does not decode.
pub(crate) struct Echo;

impl Respond for Echo {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        // Reads before an action with a password.
        if request.url.path().ends_with("/auth/elevate") {
            return ResponseTemplate::new(200).set_body_json(json!({ "data": { "duration": 30 } }));
        }
        if ["/activities", "/timeline"].iter().any(|end| request.url.path().ends_with(end)) {
            return ResponseTemplate::new(200).set_body_json(json!({ "data": [], "pagination": {} }));
        }
        let token = request.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let token = token.unwrap_or_default();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let parsed: Value = serde_json::from_str(&body).unwrap_or_default();
        let template = ResponseTemplate::new(400)
            .insert_header("x-rqid", TOKEN)
            .insert_header("retry-after", token.as_str());
        // The length of the URL selects the format, so it is deterministic.
        let password = parsed["data"]["password"].as_str().unwrap_or_default();
        match request.url.as_str().len() % 4 {
            0 => template.set_body_json(json!({
                "errors": [{ "code": token, "title": body, "detail": parsed["data"] }, parsed],
            })),
            1 => {
                let link: String = url::form_urlencoded::byte_serialize(password.as_bytes()).collect();
                let page = password.replace('"', "&quot;");
                template.set_body_raw(format!("<html>{token} {body} {page} <p>?{link}</p>"), "text/html")
            }
            2 => ResponseTemplate::new(200).insert_header("x-rqid", password).set_body_json(json!({
                "data": { "affected": 0, "success": true, "details": [{ "threatId": "4711", "status": body }] },
                "errors": [{ "code": token, "detail": body, "title": parsed.to_string() }],
            })),
            _ => ResponseTemplate::new(200).set_body_json(json!({
                "data": 7, "pagination": { "nextCursor": 7 }, token: body,
                "errors": [{ "detail": parsed.to_string() }],
            })),
        }
    }
}

/// Returns the secrets in all encodings in which they could be printed.
pub(crate) fn encoded_secrets() -> Vec<String> {
    let escaped = json!(PASSWORD).to_string();
    let page = PASSWORD.replace('"', "&quot;");
    let link: String = url::form_urlencoded::byte_serialize(PASSWORD.as_bytes()).collect();
    let secrets = [
        TOKEN,
        PASSWORD,
        escaped.trim_matches('"'),
        API_KEY,
        VERIFICATION_CODE,
        PROXY_PASSWORD,
        &page,
        &link,
    ];
    secrets.map(str::to_owned).into()
}

#[track_caller]
pub(crate) fn assert_no_secret(context: &str, text: &str) {
    for secret in encoded_secrets() {
        assert!(!text.contains(&secret), "{context} contains {secret}:\n{text}");
    }
}
