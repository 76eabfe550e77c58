//! Text around a copied token, and input that is not a token.

use secrecy::SecretString;

use super::error::TokenError;

/// A part of the input that was removed around the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RemovedPart {
    Quotes,
    Backslash,
    Comma,
    Semicolon,
    Period,
    AngleBrackets,
    ByteOrderMark,
    InvisibleCharacters,
    HeaderName,
    ApiTokenScheme,
    BearerScheme,
    TokenScheme,
    Utf16,
}

impl RemovedPart {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Quotes => "quotes",
            Self::Backslash => "a backslash",
            Self::Comma => "a comma",
            Self::Semicolon => "a semicolon",
            Self::Period => "a period",
            Self::AngleBrackets => "angle brackets",
            Self::ByteOrderMark => "a byte order mark (BOM)",
            Self::InvisibleCharacters => "invisible characters",
            Self::HeaderName => "the header name Authorization",
            Self::ApiTokenScheme => "the scheme ApiToken",
            Self::BearerScheme => "the scheme Bearer",
            Self::TokenScheme => "the scheme Token",
            Self::Utf16 => "the encoding UTF-16",
        }
    }

    fn of(c: char) -> Option<Self> {
        Some(match c {
            '"'
            | '\''
            | '`'
            | '\u{b4}'
            | '\u{2018}'..='\u{201f}'
            | '\u{ab}'
            | '\u{bb}'
            | '\u{2039}'
            | '\u{203a}'
            | '\u{2032}'
            | '\u{2033}'
            | '\u{ff02}'
            | '\u{ff07}' => Self::Quotes,
            '\\' => Self::Backslash,
            ',' => Self::Comma,
            ';' => Self::Semicolon,
            '<' | '>' => Self::AngleBrackets,
            '\u{feff}' => Self::ByteOrderMark,
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{ad}' | '\u{202a}'..='\u{202e}' => {
                Self::InvisibleCharacters
            }
            _ => return None,
        })
    }
}

/// A byte order mark in UTF-8 that was decoded as Latin-1.
const GARBLED_MARK: &str = "\u{ef}\u{bb}\u{bf}";

/// Beginning of every JWT: `{"` in base64.
const JWT_START: &str = "eyJ";

/// Words in front of a token, in lower case.
const WORDS: [(&str, RemovedPart); 5] = [
    ("authorization", RemovedPart::HeaderName),
    ("apitoken", RemovedPart::ApiTokenScheme),
    ("api-token", RemovedPart::ApiTokenScheme),
    ("bearer", RemovedPart::BearerScheme),
    ("token", RemovedPart::TokenScheme),
];

/// Removes what surrounds a token, in any nesting. Returns the token and the removed parts, without whitespace.
pub(super) fn strip(input: &str) -> (&str, Vec<RemovedPart>) {
    let mut removed = Vec::new();
    let mut text = input.trim();
    loop {
        let before = text;
        if let Some(rest) = text.strip_prefix(GARBLED_MARK) {
            removed.push(RemovedPart::ByteOrderMark);
            text = rest.trim_start();
        }
        if let Some(rest) = text.strip_suffix('.').filter(|rest| is_before_period(rest)) {
            removed.push(RemovedPart::Period);
            text = rest;
        }
        if let Some((part, rest)) =
            text.chars().next().and_then(|c| Some((RemovedPart::of(c)?, &text[c.len_utf8()..])))
        {
            removed.push(part);
            text = rest.trim_start();
        }
        if let Some((part, c)) = text.chars().next_back().and_then(|c| Some((RemovedPart::of(c)?, c))) {
            removed.push(part);
            text = text[..text.len() - c.len_utf8()].trim_end();
        }
        if let Some((part, rest)) =
            WORDS.iter().find_map(|(word, part)| Some((*part, after_word(text, word)?)))
        {
            removed.push(part);
            text = rest;
        }
        // The colon of a quoted header name.
        if removed.iter().any(|part| WORDS.iter().any(|(_, word)| word == part)) {
            text = text.trim_start_matches(|c: char| c.is_whitespace() || c == ':');
        }
        if text == before {
            return (text, removed);
        }
    }
}

/// Returns whether a period after the text ends a sentence. A JWT without a signature ends with a period too, and several
/// periods are the mark of a shortened token.
fn is_before_period(text: &str) -> bool {
    let is_unsigned = text.starts_with(JWT_START) && text.matches('.').count() == 1;
    !is_unsigned && !text.is_empty() && !text.ends_with('.')
}

/// Returns the text after a word and a colon, whitespace or another removed character, after a word in front of a JWT, or
/// an empty text after the word alone, unless it can be a token itself.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let rest = text.get(word.len()..).filter(|_| text[..word.len()].eq_ignore_ascii_case(word))?;
    let next = rest.chars().next();
    let can_be_token = word.ends_with("token") && word != "apitoken";
    let ends = next.map_or(!can_be_token, |c| c.is_whitespace() || c == ':' || RemovedPart::of(c).is_some());
    (ends || rest.starts_with(JWT_START))
        .then(|| rest.trim_start_matches(|c: char| c.is_whitespace() || c == ':'))
}

/// Returns an error that names what is wrong with a token, without the token.
pub(super) fn check(token: &str, removed: &[RemovedPart]) -> Result<(), TokenError> {
    if token.is_empty() {
        return Err(TokenError::Empty);
    }
    let invalid = |part: &str| Err(TokenError::Invalid(part.to_owned()));
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    let first = token.chars().next().unwrap_or_default();
    if token.contains('\0') {
        return invalid("NUL characters, as in a UTF-16 file without a byte order mark");
    }
    if token.contains(['\n', '\r', '\u{2028}', '\u{2029}', '\u{85}']) {
        return invalid("a line break");
    }
    // `=` occurs at the end of base64 only.
    if token.trim_end_matches('=').contains('=') {
        return invalid("an assignment (NAME=value)");
    }
    if token.contains("..") {
        return invalid("several periods in a row, as in a shortened token");
    }
    if is_path(token) {
        return invalid("the path of a file");
    }
    let halves = token.split_at_checked(token.len() / 2);
    if token.starts_with(JWT_START) && halves.is_some_and(|(first, second)| first == second) {
        return invalid("the same text twice");
    }
    let Some(odd) = token.chars().find(|c| !is_allowed(*c)) else {
        let in_brackets = removed.contains(&RemovedPart::AngleBrackets);
        return if is_placeholder(token, in_brackets) { invalid("a placeholder") } else { Ok(()) };
    };
    match odd {
        '*' | '•' | '●' | '…' => invalid("characters that mask a token"),
        '{' | '}' | '[' | ']' if token.contains('"') => invalid("JSON"),
        '%' if is_percent_encoded(token) => invalid("percent-encoded characters"),
        '$' | '%' | '{' | '}' => {
            invalid(&format!("the character {odd}, as in a variable that was not replaced"))
        }
        ':' if first.is_ascii_alphabetic() => invalid("a colon, as in a header or a member with its name"),
        c if c.is_whitespace() => invalid("whitespace"),
        '\u{feff}' => invalid("a byte order mark (BOM)"),
        '\u{fffd}' => invalid("characters that were not decoded (U+FFFD)"),
        c if c.is_control() => invalid(&format!("a control character (U+{:04X})", c as u32)),
        c if RemovedPart::of(c) == Some(RemovedPart::Quotes) => invalid("quotes within the token"),
        c if RemovedPart::of(c) == Some(RemovedPart::InvisibleCharacters) => {
            invalid(&format!("an invisible character (U+{:04X})", c as u32))
        }
        c if c.is_ascii() => invalid(&format!("the character {c}")),
        c => invalid(&format!("a character that is not ASCII (U+{:04X})", c as u32)),
    }
}

/// Returns whether a text in the place of a path is probably a token: a JWT, or longer than most file names.
pub(super) fn is_token_like(text: &str) -> bool {
    /// Length from which a name without a separator counts as a token.
    const TOKEN_LENGTH: usize = 64;
    let (token, _) = strip(text);
    token.starts_with(JWT_START)
        || token.len() >= TOKEN_LENGTH
            && check(token, &[]).is_ok()
            && !token.contains(std::path::is_separator)
}

/// Returns whether a text is the path of a file, such as `/run/secrets/token`.
fn is_path(text: &str) -> bool {
    /// Length from which a text that begins with a slash can be a token in base64.
    const TOKEN_LENGTH: usize = 60;
    ["./", "../", "~/"].iter().any(|start| text.starts_with(start))
        || text.strip_prefix('/').is_some_and(|rest| rest.contains('/') && text.len() < TOKEN_LENGTH)
}

fn is_percent_encoded(text: &str) -> bool {
    let is_hex = |code: &[u8]| code.len() == 2 && code.iter().all(u8::is_ascii_hexdigit);
    text.split('%').skip(1).all(|rest| rest.as_bytes().get(..2).is_some_and(is_hex))
}

/// Returns whether a text stands for a token: words about tokens, or a repeated character.
fn is_placeholder(token: &str, in_brackets: bool) -> bool {
    /// Words that are a placeholder together, or in angle brackets.
    const WORDS: &[&str] = &[
        "your",
        "my",
        "the",
        "a",
        "an",
        "api",
        "token",
        "key",
        "apitoken",
        "apikey",
        "here",
        "insert",
        "paste",
        "enter",
        "put",
        "change",
        "replace",
        "me",
        "with",
        "s1",
        "sentinelone",
        "secret",
        "value",
        "goes",
        "service",
        "user",
    ];
    const PLACEHOLDERS: &[&str] = &[
        "placeholder",
        "changeme",
        "replaceme",
        "yourtoken",
        "yourapitoken",
        "yourapikey",
        "redacted",
        "hidden",
        "masked",
        "undefined",
        "null",
        "none",
        "todo",
    ];
    let lower = token.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(['-', '_', '.']).filter(|word| !word.is_empty()).collect();
    let is_known = |word: &&str| WORDS.contains(word) || PLACEHOLDERS.contains(word);
    let (is_single, is_repeated) = (words.len() == 1, lower.chars().all(|c| lower.starts_with(c)));
    is_repeated && lower.len() > 2 && !lower.starts_with(|c: char| c.is_ascii_alphanumeric() && c != 'x')
        || words.iter().all(is_known) && (!is_single || in_brackets || PLACEHOLDERS.contains(&words[0]))
}

/// Decodes UTF-16, with a byte order mark or with the NUL bytes of ASCII text. Returns `None` for another encoding.
pub(super) fn decode_utf16(bytes: &[u8]) -> Result<Option<SecretString>, TokenError> {
    let (is_little, content) = match bytes {
        [0xff, 0xfe, rest @ ..] => (true, rest),
        [0xfe, 0xff, rest @ ..] => (false, rest),
        [first, 0, _, 0, ..] if *first != 0 => (true, bytes),
        [0, second, 0, _, ..] if *second != 0 => (false, bytes),
        _ => return Ok(None),
    };
    // A line that ends at the first byte of a line break.
    let content = match content {
        [line @ .., b'\n'] if is_little && content.len() % 2 == 1 => line,
        other => other,
    };
    let invalid =
        || TokenError::Invalid("bytes that are not valid UTF-16, although it begins as UTF-16".into());
    let pairs = content.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(invalid());
    }
    let units = pairs.map(|pair| match (pair, is_little) {
        ([low, high], true) | ([high, low], false) => u16::from_le_bytes([*low, *high]),
        _ => 0,
    });
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.map(|text| Some(SecretString::from(text))).map_err(|_| invalid())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use super::super::{ApiToken, TokenError};

    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ0ZXN0In0.c2lnbmF0dXJl-_";

    fn removed(input: &str) -> Option<String> {
        let token = ApiToken::new(input).ok()?;
        assert_eq!(token.expose_secret(), TOKEN, "{input}");
        let warnings = token.warnings(&"2026-11-21T12:00:00Z".into());
        Some(warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn token_surrounding_text_is_removed_and_named() {
        for (before, after, name) in [
            ("\"", "\"", "quotes"),
            ("'", "'", "quotes"),
            ("`", "", "quotes"),
            ("“", "”", "quotes"),
            ("", "’", "quotes"),
            ("\\\"", "\\\"", "a backslash, quotes"),
            (";'", "", "a semicolon, quotes"),
            ("", "\";\r\n", "quotes, a semicolon"),
            ("", ",", "a comma"),
            ("", ".", "a period"),
            ("\"", ".\".", "quotes, a period"),
            ("\u{ef}\u{bb}\u{bf}", "", "a byte order mark (BOM)"),
            ("ApiToken", "", "the scheme ApiToken"),
            ("Bearer", "", "the scheme Bearer"),
            ("<", ">", "angle brackets"),
            ("\u{feff}", "\r\n", "a byte order mark (BOM)"),
            ("\u{200b}", "\u{200b}", "invisible characters"),
            ("Bearer ", "", "the scheme Bearer"),
            ("bearer:", "", "the scheme Bearer"),
            ("ApiToken ", "", "the scheme ApiToken"),
            ("APITOKEN\t ", "", "the scheme ApiToken"),
            ("Token ", "", "the scheme Token"),
            ("Authorization: ", "", "the header name Authorization"),
            ("authorization:ApiToken ", "", "the header name Authorization, the scheme ApiToken"),
            (
                "\"Authorization\": \"ApiToken ",
                "\"",
                "quotes, the header name Authorization, the scheme ApiToken",
            ),
            ("ApiToken ApiToken \"<", ">\",", "the scheme ApiToken, a comma, quotes, angle brackets"),
            ("Bearer ApiToken ", "", "the scheme Bearer, the scheme ApiToken"),
        ] {
            let input = format!("{before}{TOKEN}{after}");
            let warning = removed(&input).unwrap_or_default();
            let mut named: Vec<_> = warning.rsplit(": ").next().unwrap_or_default().split(", ").collect();
            let mut expected: Vec<_> = name.split(", ").collect();
            named.sort_unstable();
            expected.sort_unstable();
            assert_eq!(named, expected, "{input:?}");
            assert!(!warning.contains(TOKEN), "{warning}");
        }
        for plain in [TOKEN.to_owned(), format!(" {TOKEN}\r\n"), format!("\n\t{TOKEN}")] {
            assert_eq!(removed(&plain), Some(String::new()), "whitespace is removed without a warning");
        }
    }

    #[test]
    fn token_with_other_text_is_rejected_with_its_name() {
        for (input, name) in [
            (format!("S1_API_TOKEN={TOKEN}"), "an assignment"),
            (format!("export S1_API_TOKEN='{TOKEN}'"), "an assignment"),
            (format!("{TOKEN} {TOKEN}"), "whitespace"),
            (format!("{TOKEN}\n{TOKEN}"), "a line break"),
            (format!("-H \"Authorization: ApiToken {TOKEN}\""), "whitespace"),
            (format!("{TOKEN}\u{1b}x"), "a control character (U+001B)"),
            (format!("{TOKEN}é{TOKEN}"), "not ASCII (U+00E9)"),
            (format!("{TOKEN}\"{TOKEN}"), "quotes within"),
            (format!("{TOKEN}\u{feff}{TOKEN}"), "(BOM)"),
            (format!("key:{TOKEN}"), "a colon"),
            (format!("{TOKEN}..."), "a shortened token"),
            (format!("{TOKEN}{TOKEN}"), "twice"),
            (format!("{TOKEN}\u{200b}{TOKEN}"), "an invisible character (U+200B)"),
            (format!("{{\"token\": \"{TOKEN}\"}}"), "JSON"),
            (format!("[\"{TOKEN}\"]"), "JSON"),
            (format!("{TOKEN}%0A"), "percent-encoded"),
            ("/run/secrets/s1_token".to_owned(), "the path of a file"),
            ("~/.s1/token".to_owned(), "the path of a file"),
            ("***".to_owned(), "mask"),
            ("eyJ****abc".to_owned(), "mask"),
            ("$S1_API_TOKEN".to_owned(), "a variable"),
            ("%S1_API_TOKEN%".to_owned(), "a variable"),
            ("{{ secrets.S1 }}".to_owned(), "a variable"),
            ("<your-api-token>".to_owned(), "a placeholder"),
            ("<your api token>".to_owned(), "whitespace"),
            ("<YOUR_TOKEN>".to_owned(), "a placeholder"),
            ("<token>".to_owned(), "a placeholder"),
            ("your-api-token-here".to_owned(), "a placeholder"),
            ("xxxxxxxxxxxx".to_owned(), "a placeholder"),
            ("changeme".to_owned(), "a placeholder"),
        ] {
            match ApiToken::new(input.clone()) {
                Err(error @ TokenError::Invalid(_)) => {
                    let message = error.to_string();
                    assert!(message.contains(name) && !message.contains(TOKEN), "{input:?}: {message}");
                }
                other => panic!("{input:?}: {other:?}"),
            }
        }
        for odd in ["token", "x", "e", "secret", "sandbox-token", "eyJh.eyJz.", "/aB3"] {
            assert_eq!(
                ApiToken::new(odd).map(|token| token.expose_secret().to_owned()).ok().as_deref(),
                Some(odd)
            );
        }
        for empty in [
            "",
            " \n",
            "\"\"",
            "ApiToken",
            "ApiToken ",
            "Bearer:",
            "Authorization: ApiToken ",
            "<>",
            "\u{feff}",
        ] {
            assert!(matches!(ApiToken::new(empty), Err(TokenError::Empty)), "{empty:?}");
        }
    }

    #[test]
    fn token_bytes_in_utf16_are_decoded() {
        let units: Vec<u16> = format!("{TOKEN}\r\n").encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let with = |mark: &[u8], content: &[u8]| [mark, content].concat();
        for bytes in [
            with(&[0xff, 0xfe], &little),
            with(&[0xfe, 0xff], &big),
            little.clone(),
            big.clone(),
            // The first line of a stream.
            with(&[0xff, 0xfe], &little[..little.len() - 1]),
        ] {
            let token = ApiToken::from_bytes(bytes.clone()).expect("valid UTF-16");
            assert_eq!(token.expose_secret(), TOKEN, "{bytes:?}");
            let warnings = token.warnings(&"2026-11-21T12:00:00Z".into());
            assert!(warnings.iter().any(|warning| warning.to_string().contains("UTF-16")), "{warnings:?}");
        }
        for (bytes, name) in [
            (with(&[0xff, 0xfe], b"abc"), "UTF-16"),
            (with(&[0xff, 0xfe], &[0x00, 0xd8, 0x41, 0x00]), "UTF-16"),
            (vec![b'a', 0xff, b'b'], "neither UTF-8 nor UTF-16"),
            (vec![b'a', b'b', 0, b'c'], "NUL"),
        ] {
            let message = ApiToken::from_bytes(bytes.clone()).map(drop).unwrap_err().to_string();
            assert!(message.contains(name), "{bytes:?}: {message}");
        }
    }

    #[test]
    fn token_in_place_of_a_path_is_not_shown() {
        for token in [TOKEN.to_owned(), format!("ApiToken {TOKEN}"), "Ab3-".repeat(20)] {
            let error = ApiToken::from_file(&token).map(drop).unwrap_err();
            assert!(matches!(error, TokenError::PathIsToken), "{error:?}");
            assert!(!error.to_string().contains(&token), "{error}");
        }
        let missing = format!("/nonexistent/{}", "directory/".repeat(10));
        for path in ["token.txt", missing.as_str()] {
            let error = ApiToken::from_file(path).map(drop).unwrap_err();
            assert!(matches!(error, TokenError::File { .. }) && error.to_string().contains(path), "{error}");
        }
    }

    #[test]
    fn token_expiry_tolerates_five_minutes() {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;

        // 2026-11-21T12:00:00Z.
        let expiry = 1_795_262_400;
        let token = |claims: String| {
            let claims = URL_SAFE_NO_PAD.encode(claims);
            ApiToken::new(format!("eyJhbGciOiJFUzI1NiJ9.{claims}.c2ln")).expect("a valid token")
        };
        let expired = |claims: String, now: &str| {
            token(claims).expired_at(&now.into()).map(|time| time.unix_millis().unwrap_or_default() / 1000)
        };
        let claims = || format!("{{\"sub\":\"x\",\"exp\":{expiry}}}");
        assert_eq!(expired(claims(), "2026-11-21T12:05:00Z"), None);
        assert_eq!(expired(claims(), "2026-11-21T12:05:01Z"), Some(expiry));
        assert_eq!(expired(format!("{{\"exp\":{expiry}.5}}"), "2026-11-22T00:00:00Z"), Some(expiry));
        for other in ["{}", "{\"exp\":\"soon\"}", "{\"exp\":null}", "[]", "no json"] {
            assert_eq!(expired(other.to_owned(), "2030-01-01T00:00:00Z"), None, "{other}");
        }
        for other in ["a".repeat(80), "a.b".to_owned(), "a.b.c.d".to_owned()] {
            let token =
                ApiToken::new(other.clone()).map(|token| token.expired_at(&"2030-01-01T00:00:00Z".into()));
            assert!(matches!(token, Ok(None) | Err(TokenError::Invalid(_))), "{other}");
        }
    }
}
