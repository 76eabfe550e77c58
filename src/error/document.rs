//! Documents that a server returns in place of a response of the API: HTML pages, and the XML errors of object stores.

use std::borrow::Cow;

use http::{HeaderMap, header};
use serde::de::IgnoredAny;

use super::excerpt;
use crate::json_repair;
use crate::redaction::Redactor;
use crate::text::is_unprintable;

/// Remedy for a document of another server or a login page.
pub(super) const NOT_THE_API: &str =
    "check the address in the console URL and the proxy: the server is not the API, or requires a login";

/// Number of bytes of a body in which a document is identified.
const BEGINNING: usize = 64 * 1024;

/// Maximum length of a shown title, in characters.
const MAX_TITLE: usize = 100;

/// An HTML page: a login page, the page of a proxy, or the web interface of the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HtmlPage {
    title: Option<String>,
}

impl HtmlPage {
    /// Returns the page, if the body is HTML by its beginning or, unless it is JSON, by its content type.
    pub(crate) fn of(headers: Option<&HeaderMap>, body: &[u8]) -> Option<Self> {
        let text = decoded(&body[..body.len().min(BEGINNING)]);
        let start = skip_prolog(&text);
        let kind = headers.and_then(|headers| headers.get(header::CONTENT_TYPE)?.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        let is_declared = ["text/html", "application/xhtml+xml"].iter().any(|html| kind.starts_with(html));
        let is_json = || json_repair::parse::<IgnoredAny>(body).is_some();
        let is_page = begins_like_html(start) || is_declared && !start.is_empty() && !is_json();
        is_page.then(|| Self { title: title(&text) })
    }

    pub(super) fn redact(&mut self, secrets: &Redactor<'_>) {
        self.title = self.title.take().map(|title| secrets.redact(&title));
    }

    /// Returns the title, shortened.
    pub(super) fn title(&self) -> Option<String> {
        let title = self.title.as_ref()?;
        let mut short: String = title.chars().take(MAX_TITLE).collect();
        if short.len() < title.len() {
            short.push('…');
        }
        Some(short)
    }
}

/// Returns the text of a page in UTF-8, or in UTF-16 with a byte order mark.
fn decoded(body: &[u8]) -> Cow<'_, str> {
    let code_unit: fn([u8; 2]) -> u16 = match body {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return String::from_utf8_lossy(body),
    };
    let pairs = body.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
    char::decode_utf16(pairs.map(code_unit)).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Returns the text after a byte order mark, whitespace, comments and an XML declaration.
fn skip_prolog(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let end = match rest {
            comment if comment.starts_with("<!--") => comment.split_once("-->"),
            declaration if declaration.starts_with("<?") => declaration.split_once("?>"),
            _ => return rest,
        };
        let Some((_, after)) = end else { return rest };
        rest = after;
    }
}

fn begins_like_html(text: &str) -> bool {
    const TAGS: [&str; 44] = [
        "html", "head", "body", "title", "meta", "link", "base", "style", "script", "noscript", "frameset",
        "frame", "iframe", "header", "main", "nav", "section", "article", "div", "center", "form", "table",
        "tr", "td", "h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "ul", "ol", "hr", "br", "a", "b", "i",
        "em", "strong", "font", "span", "img",
    ];
    let lower: String = text.chars().take(40).collect::<String>().to_ascii_lowercase();
    if let Some(name) = lower.strip_prefix("<!doctype") {
        return name.trim_start().starts_with("html");
    }
    let Some(tag) = lower.strip_prefix('<') else { return false };
    let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    TAGS.contains(&name)
}

/// Returns the title of a page on one line, with its character references decoded.
fn title(page: &str) -> Option<String> {
    let text = element(page, "title")?;
    let text = decode_references(text);
    let line = text.replace(is_unprintable, " ").split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}

/// Returns the content of the first element with this name, in any case.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    // ASCII only, so that the positions are those of the text.
    let lower = text.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let at = from + lower.get(from..)?.find(&format!("<{name}"))? + name.len() + 1;
        // Not a longer name, such as `<titlebar>`.
        if lower.get(at..)?.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-') {
            from = at;
            continue;
        }
        let start = at + lower.get(at..)?.find('>')? + 1;
        if let Some(data) = text.get(start..)?.trim_start().strip_prefix("<![CDATA[") {
            return data.split("]]>").next();
        }
        let end = lower.get(start..)?.find('<').map_or(text.len(), |length| start + length);
        return text.get(start..end);
    }
}

/// Decodes the common character references, decimal and hexadecimal ones.
fn decode_references(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let reference = after.split_once(';').filter(|(name, _)| name.len() <= 8);
        let c = reference.and_then(|(name, _)| match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "nbsp" => Some(' '),
            "ndash" => Some('–'),
            "mdash" => Some('—'),
            "middot" => Some('·'),
            name => {
                let number = name.strip_prefix('#')?;
                let hex = number.strip_prefix(['x', 'X']);
                hex.map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())
                    .and_then(char::from_u32)
            }
        });
        match (c, reference) {
            (Some(c), Some((_, after))) => {
                decoded.push(c);
                rest = after;
            }
            _ => {
                decoded.push('&');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// The XML error of an object store, such as those for downloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreError {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    /// Whether the link or its credentials have expired.
    pub(super) has_expired: bool,
}

impl StoreError {
    /// Parses the error. Elements other than the code, the message and the details are ignored, because they repeat the
    /// signature.
    pub(crate) fn of(body: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(body);
        if !skip_prolog(&text).to_ascii_lowercase().starts_with("<error") {
            return None;
        }
        let part = |name| excerpt(decode_references(element(&text, name)?).as_bytes());
        let (code, message) = (part("code"), part("message"));
        let details = ["details", "authenticationerrordetail"].into_iter().filter_map(part);
        let all: Vec<String> = code.iter().chain(&message).cloned().chain(details).collect();
        let all = all.join(" ").to_ascii_lowercase();
        // Azure names the period of the signature instead.
        let has_expired = mentions_expiry(&all) || all.contains("not valid in the specified time frame");
        Some(Self { code, message, has_expired })
    }

    pub(super) fn redact(&mut self, secrets: &Redactor<'_>) {
        for part in [&mut self.code, &mut self.message] {
            *part = part.take().map(|text| secrets.redact(&text));
        }
    }
}

/// Returns whether a text is about something that has expired.
pub(super) fn mentions_expiry(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["expired", "expiry"].iter().any(|word| text.contains(word))
}

/// Returns the target of a redirect without user name, password, query, fragment and the parameters of its path, such as
/// a session ID, which may be secret.
pub(crate) fn redirect_target(headers: &HeaderMap) -> Option<String> {
    let location = headers.get(header::LOCATION)?;
    let location = String::from_utf8_lossy(location.as_bytes());
    let text = location.split(['?', '#']).next().unwrap_or_default().trim();
    let target = match url::Url::parse(text) {
        Ok(url) => {
            let host = url.host_str()?;
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            let path = url.path().split(';').next().unwrap_or_default().trim_end_matches('/');
            format!("{}://{host}{port}{path}", url.scheme())
        }
        // An invalid URL, of which a part of the password may remain.
        Err(_) if text.contains("://") => return None,
        // A path, or a host without a scheme that may contain a password.
        Err(_) => match text.strip_prefix("//").and_then(|rest| rest.split_once('@')) {
            Some((_, host)) => format!("//{host}"),
            None => text.to_owned(),
        },
    };
    excerpt(target.split(';').next()?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Option<Option<String>> {
        HtmlPage::of(None, body.as_bytes()).map(|page| page.title())
    }

    #[test]
    fn html_page_is_identified_by_its_beginning() {
        for (body, title) in [
            ("<!DOCTYPE html><HTML><head><TITLE>Sign in</TITLE></head>", Some("Sign in")),
            ("\u{feff}\n <!-- edge 7 --><!doctype HTML PUBLIC '-//W3C'><title>A</title>", Some("A")),
            (
                "<?xml version='1.0'?>\n<html lang=\"en\"><title data-x='1'>\n  Two\n lines </title>",
                Some("Two lines"),
            ),
            (
                "<html><titlebar>x</titlebar><title>R&amp;D &#8211; &#x41;&nbsp;&unknown;</title>",
                Some("R&D – A &unknown;"),
            ),
            ("<html><title>\u{1b}[31mred</title>", Some("[31mred")),
            ("<script>location='/login'</script>", None),
            ("<p>Blocked by policy</p>", None),
            ("\r\n<H2 class='x'>Blocked</H2>", None),
            ("<noscript>Enable JavaScript</noscript>", None),
            ("<style>p{}</style><title>S</title>", Some("S")),
            ("<html><title></title></html>", None),
            ("<html>", None),
        ] {
            assert_eq!(page(body), Some(title.map(str::to_owned)), "{body}");
        }
        for other in [
            "",
            "{\"data\":\"<html>\"}",
            "plain text",
            "<Error><Code>A</Code></Error>",
            "<htmlx>",
            "<param>",
            "<soap:Envelope>",
            "< 5",
        ] {
            assert_eq!(page(other), None, "{other}");
        }
        let long = page(&format!("<title>{}</title>", "é".repeat(500))).flatten().unwrap_or_default();
        assert_eq!((long.chars().count(), long.ends_with('…')), (MAX_TITLE + 1, true));
    }

    #[test]
    fn html_page_in_utf_16_has_its_title() {
        let units = "\u{feff}<!DOCTYPE html><title>Prüfung 😀</title>".encode_utf16();
        let bytes = |order: fn(u16) -> [u8; 2]| units.clone().flat_map(order).collect::<Vec<u8>>();
        for body in [bytes(u16::to_le_bytes), bytes(u16::to_be_bytes)] {
            let title = HtmlPage::of(None, &body).and_then(|page| page.title());
            assert_eq!(title.as_deref(), Some("Prüfung 😀"));
        }
    }

    #[test]
    fn html_page_with_long_head_has_its_title() {
        let head = "a{}".repeat(15_000);
        let body = format!("<html><head><style>{head}</style><title>Late</title>");
        assert_eq!(page(&body).flatten().as_deref(), Some("Late"));
    }

    #[test]
    fn html_page_is_identified_by_its_content_type() {
        for (kind, body, expected) in [
            ("text/html; charset=utf-8", "Gateway login required", true),
            ("TEXT/HTML", "Gateway login required", true),
            ("application/xhtml+xml", "Gateway login required", true),
            ("text/html", "{\"data\":[]}", false),
            ("text/html", "{\"errors\":[{\"detail\":\"a\\ud800\"}]}", false),
            ("text/html", " ", false),
            ("text/plain", "Gateway login required", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
            assert_eq!(HtmlPage::of(Some(&headers), body.as_bytes()).is_some(), expected, "{kind} {body}");
        }
    }

    #[test]
    fn store_error_has_expiry_and_no_signature() {
        for (body, code, message, has_expired) in [
            (
                "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message>\
              <X-Amz-Expires>300</X-Amz-Expires></Error>",
                "AccessDenied",
                "Request has expired",
                true,
            ),
            (
                "<Error><Code>ExpiredToken</Code><Message>The token is too old</Message></Error>",
                "ExpiredToken",
                "The token is too old",
                true,
            ),
            (
                "<Error><Code>AuthenticationFailed</Code><Message>Not authenticated</Message><AuthenticationErrorDetail>\
              Signature not valid in the specified time frame</AuthenticationErrorDetail></Error>",
                "AuthenticationFailed",
                "Not authenticated",
                true,
            ),
            (
                "<Error><Code><![CDATA[AccessDenied]]></Code><Message><![CDATA[Request has expired]]></Message></Error>",
                "AccessDenied",
                "Request has expired",
                true,
            ),
            (
                "<Error><Code>SignatureDoesNotMatch</Code><Message>A &lt;B&gt;</Message><SignatureProvided>abcdef\
              </SignatureProvided></Error>",
                "SignatureDoesNotMatch",
                "A",
                false,
            ),
        ] {
            let error = StoreError::of(body.as_bytes());
            let (code, message) = (Some(code.to_owned()), Some(message.to_owned()));
            assert_eq!(error, Some(StoreError { code, message, has_expired }), "{body}");
        }
        assert_eq!(StoreError::of(b"<html><Error></html>"), None);
        assert_eq!(StoreError::of(b"{}"), None);
    }

    #[test]
    fn redirect_target_has_no_query_and_no_password() {
        for (location, expected) in [
            ("https://login.example.com/sso/start?code=secret#secret", "https://login.example.com/sso/start"),
            ("https://user:secret@login.example.com:8443/", "https://login.example.com:8443"),
            ("//user:secret@login.example.com/x?secret", "//login.example.com/x"),
            ("/login?next=secret", "/login"),
            ("https://login.example.com/start;jsessionid=secret?x=1", "https://login.example.com/start"),
            ("//login.example.com/start;jsessionid=secret", "//login.example.com/start"),
            ("https://user:sec;ret@login.example.com/start", "https://login.example.com/start"),
            ("//user:sec;ret@login.example.com/start", "//login.example.com/start"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, http::HeaderValue::from_static(location));
            assert_eq!(redirect_target(&headers).as_deref(), Some(expected), "{location}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(
            header::LOCATION,
            http::HeaderValue::from_static("https://user:secr#et@login.example.com/"),
        );
        assert_eq!(redirect_target(&headers), None, "a part of the password");
        assert_eq!(redirect_target(&HeaderMap::new()), None);
    }
}
