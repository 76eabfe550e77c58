//! Pseudonyms: replacements of the same format, equal for equal values.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Replaces strings by pseudonyms of the same format. A pseudonym depends on the string and the key only.
#[derive(Clone)]
pub(super) struct Pseudonymizer {
    mac: Hmac<Sha256>,
}

impl fmt::Debug for Pseudonymizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonymizer(…)")
    }
}

/// The format of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format<'a> {
    /// A value without sensitive content, such as `true`, or a time.
    Plain,
    Digits,
    Hex,
    Uuid,
    Mac,
    /// The address, and the suffix: a port or a prefix length.
    Ipv4(Ipv4Addr, &'a str),
    Ipv6(Ipv6Addr, &'a str),
    Email,
    /// Scheme and host.
    Url(&'a str, &'a str),
    Host,
    Text,
}

/// Number of rounds of the permutation. It is even, so that the halves return to their initial positions.
const ROUNDS: u8 = 10;

/// The minimum length of a hex string. Shorter strings can be ordinary names.
const MIN_HEX_LENGTH: usize = 16;

const SCHEMES: &[&str] = &["http", "https", "ftp", "ftps", "sftp", "ldap", "ldaps", "smb", "ws", "wss"];

/// File name extensions that could be mistaken for a top-level domain.
const FILE_EXTENSIONS: &[&str] = &[
    "bat", "bin", "cmd", "csv", "dll", "doc", "docx", "elf", "exe", "gz", "html", "img", "jar", "jpg", "js",
    "json", "log", "lnk", "msi", "pdf", "png", "ps1", "py", "rpm", "sh", "sys", "tar", "tmp", "txt", "vbs",
    "xls", "xlsx", "xml", "zip",
];

impl Pseudonymizer {
    pub(super) fn new(key: &[u8]) -> Self {
        // The key block is a hash with zero padding, as in HMAC, so its length is always valid.
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (byte, hashed) in block.iter_mut().zip(Sha256::digest(key)) {
            *byte = hashed;
        }
        Self { mac: Hmac::new(&block) }
    }

    /// Returns the pseudonym in the format of the string.
    pub(super) fn pseudonym(&self, text: &str) -> String {
        match detect_format(text) {
            Format::Plain => text.to_owned(),
            Format::Digits => self.digits(text),
            Format::Hex => self.hex(text),
            Format::Uuid => self.uuid(text),
            Format::Mac => self.mac_address(text),
            Format::Ipv4(address, rest) => format!("{}{rest}", self.ipv4(address)),
            Format::Ipv6(address, rest) => format!("{}{rest}", self.ipv6(address)),
            Format::Email => format!("user-{}@example.com", self.tag("email", text)),
            Format::Url(scheme, host) => format!("{scheme}://{}/{}", self.host(host), self.tag("url", text)),
            Format::Host => self.host(text),
            Format::Text => self.text_pseudonym(text),
        }
    }

    /// Returns the pseudonym of a string without a special format.
    pub(super) fn text_pseudonym(&self, text: &str) -> String {
        format!("text-{}", self.tag("text", text))
    }

    /// Returns a string with the same number of digits. The mapping is a permutation of the strings of this length, so
    /// the results are distinct.
    pub(super) fn digits(&self, text: &str) -> String {
        let digits: Vec<u8> = text.bytes().map(|byte| byte.wrapping_sub(b'0')).collect();
        let to_string =
            |digits: &[u8]| digits.iter().map(|digit| char::from(b'0' + digit)).collect::<String>();
        let class = number_class(text);
        // Repeating the permutation until the class matches is a permutation of the class. The loop ends at the start
        // of the cycle at the latest.
        let mut digits = self.permute(10, &digits);
        loop {
            let result = to_string(&digits);
            if number_class(&result) == class {
                return result;
            }
            digits = self.permute(10, &digits);
        }
    }

    /// Returns the pseudonym of a number that is not an integer: a number of at least ten digits.
    pub(super) fn large_number(&self, text: &str) -> f64 {
        let [a, b, c, d, e, f, ..] = self.digest("number", &[text.as_bytes()]);
        1e10 + u64::from_be_bytes([0, 0, a, b, c, d, e, f]) as f64
    }

    fn hex(&self, text: &str) -> String {
        let digits: Vec<u8> = text.chars().filter_map(|c| u8::try_from(c.to_digit(16)?).ok()).collect();
        let mut digits = self.permute(16, &digits);
        // Repeated as in `digits`: a string with a letter maps to a string with a letter.
        while digits.iter().all(|digit| *digit < 10) {
            digits = self.permute(16, &digits);
        }
        let upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        digits.iter().filter_map(|digit| hex_digit(*digit, upper)).collect()
    }

    fn uuid(&self, text: &str) -> String {
        let plain: String = text.chars().filter(|c| *c != '-').collect();
        let new = if plain.bytes().all(|byte| byte.is_ascii_digit()) {
            self.digits(&plain)
        } else {
            self.hex(&plain)
        };
        let mut new = new.chars();
        text.chars().filter_map(|c| if c == '-' { Some(c) } else { new.next() }).collect()
    }

    /// Returns a locally administered address, which no vendor assigns.
    fn mac_address(&self, text: &str) -> String {
        let plain: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        let digest = self.digest("hardware", &[plain.to_ascii_lowercase().as_bytes()]);
        let first = digest.iter().take(1).map(|byte| byte & 0xfc | 0x02);
        let bytes = first.chain(digest.iter().skip(1).copied());
        let upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        let mut new =
            bytes.flat_map(|byte| [byte >> 4, byte & 0xf]).filter_map(|digit| hex_digit(digit, upper));
        text.chars().filter_map(|c| if c.is_ascii_hexdigit() { new.next() } else { Some(c) }).collect()
    }

    /// Returns an address of the reserved range, which no network uses. The documentation ranges are too small for
    /// distinct addresses.
    fn ipv4(&self, address: Ipv4Addr) -> Ipv4Addr {
        let [a, b, c, d, ..] = self.digest("ipv4", &[&address.octets()]);
        Ipv4Addr::new(240 + a % 15, b, c, d)
    }

    /// Returns an address of the documentation range.
    fn ipv6(&self, address: Ipv6Addr) -> Ipv6Addr {
        let digest = self.digest("ipv6", &[&address.octets()]);
        let mut octets = [0; 16];
        for (octet, byte) in octets.iter_mut().zip([0x20, 0x01, 0x0d, 0xb8].into_iter().chain(digest)) {
            *octet = byte;
        }
        Ipv6Addr::from(octets)
    }

    fn host(&self, text: &str) -> String {
        format!("host-{}.example.com", self.tag("host", text))
    }

    /// Returns 64 bits as a hex string.
    fn tag(&self, domain: &str, text: &str) -> String {
        let digest = self.digest(domain, &[text.as_bytes()]);
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    fn digest(&self, domain: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(domain.as_bytes());
        for part in parts {
            // The length prefix separates the parts unambiguously.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Permutes the strings of this length over a base: a Feistel network that shifts each half by a keyed hash of the
    /// other half.
    fn permute(&self, base: u8, digits: &[u8]) -> Vec<u8> {
        let (left, right) = digits.split_at(digits.len() / 2);
        let (mut left, mut right) = (left.to_vec(), right.to_vec());
        for round in 0..ROUNDS {
            let mut shifts = Vec::with_capacity(left.len());
            let mut block = 0_u64;
            while shifts.len() < left.len() {
                let domain = [base, round];
                let digest = self.digest("permutation", &[&domain, &block.to_be_bytes(), &right]);
                shifts.extend(digest);
                block += 1;
            }
            for (digit, shift) in left.iter_mut().zip(shifts) {
                *digit = (*digit + shift % base) % base;
            }
            std::mem::swap(&mut left, &mut right);
        }
        left.extend(right);
        left
    }
}

/// Returns the properties that the pseudonym of a number preserves: a leading zero, and the integer type.
fn number_class(digits: &str) -> (bool, u8) {
    let zero = digits.starts_with('0');
    // With leading zeros, few results have the same class, and numbers do not have leading zeros.
    let size = match digits.parse::<u64>() {
        _ if zero => 0,
        Ok(number) if i64::try_from(number).is_ok() => 0,
        Ok(_) => 1,
        Err(_) => 2,
    };
    (zero, size)
}

fn hex_digit(digit: u8, upper: bool) -> Option<char> {
    let c = char::from_digit(u32::from(digit), 16)?;
    Some(if upper { c.to_ascii_uppercase() } else { c })
}

/// Returns the format of a string.
pub(super) fn detect_format(text: &str) -> Format<'_> {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let one_case = || {
        let (mut lower, mut upper) = (false, false);
        for byte in text.bytes() {
            lower |= byte.is_ascii_lowercase();
            upper |= byte.is_ascii_uppercase();
        }
        !(lower && upper)
    };
    if text.is_empty() || is_plain_literal(text) || is_time(text) {
        return Format::Plain;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Format::Digits;
    }
    if one_case() {
        if text.len() >= MIN_HEX_LENGTH && hex(text) {
            return Format::Hex;
        }
        let lengths = |separator| text.split(separator).map(str::len).collect::<Vec<_>>();
        if lengths('-') == [8, 4, 4, 4, 12] && hex(&text.replace('-', "")) {
            return Format::Uuid;
        }
        if [':', '-'].iter().any(|sign| lengths(*sign) == [2; 6] && hex(&text.replace(*sign, ""))) {
            return Format::Mac;
        }
    }
    let (address, rest) = split_number(text, ":/");
    if let Ok(address) = address.parse() {
        return Format::Ipv4(address, rest);
    }
    let (address, rest) = split_number(text, "/");
    if let Ok(address) = address.parse() {
        return Format::Ipv6(address, rest);
    }
    if let Some((local, domain)) = text.split_once('@')
        && !local.is_empty()
        && !domain.is_empty()
        && !local.contains(|c: char| c.is_whitespace() || c == '/')
        && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
    {
        return Format::Email;
    }
    if let Some((scheme, rest)) = text.split_once("://")
        && SCHEMES.contains(&scheme)
    {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        return Format::Url(scheme, host.split(':').next().unwrap_or_default());
    }
    if is_host(text) { Format::Host } else { Format::Text }
}

/// Splits a string before a separator and its numeric suffix.
fn split_number<'a>(text: &'a str, signs: &str) -> (&'a str, &'a str) {
    let number =
        |rest: &str| (2..=6).contains(&rest.len()) && rest.bytes().skip(1).all(|b| b.is_ascii_digit());
    let at = text.rfind(|c| signs.contains(c)).filter(|at| number(&text[*at..]));
    text.split_at(at.unwrap_or(text.len()))
}

/// Returns whether the string is a boolean or a placeholder for a missing value.
fn is_plain_literal(text: &str) -> bool {
    ["true", "false", "null", "n/a"].iter().any(|literal| text.eq_ignore_ascii_case(literal))
}

fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(inside) && !label.starts_with('-')
    };
    let Some((_, last)) = text.rsplit_once('.') else { return false };
    let top = last.starts_with("xn--")
        || (2..=24).contains(&last.len()) && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_file = FILE_EXTENSIONS.iter().any(|extension| last.eq_ignore_ascii_case(extension));
    text.len() <= 253 && top && !is_file && text.split('.').all(label)
}

/// Returns whether a string is a date, or a time in the format of RFC 3339 with or without a time zone. The format
/// cannot hold other data.
pub(super) fn is_time(text: &str) -> bool {
    fn after<'a>(text: &'a str, pattern: &str) -> Option<&'a str> {
        let (head, rest) = text.split_at_checked(pattern.len())?;
        let fits = |(actual, expected): (u8, u8)| {
            if expected == b'0' { actual.is_ascii_digit() } else { actual == expected }
        };
        head.bytes().zip(pattern.bytes()).all(fits).then_some(rest)
    }
    fn zone(rest: &str) -> bool {
        let offsets = ["+00:00", "-00:00", "+0000", "-0000"];
        matches!(rest, "" | "Z" | "z") || offsets.iter().any(|pattern| after(rest, pattern) == Some(""))
    }
    let Some(rest) = after(text, "0000-00-00") else { return false };
    if rest.is_empty() {
        return true;
    }
    let clock = ["T00:00", " 00:00", "t00:00"].iter().find_map(|pattern| after(rest, pattern));
    let Some(rest) = clock else { return false };
    let Some(rest) = after(rest, ":00") else { return zone(rest) };
    let Some(fraction) = rest.strip_prefix('.') else { return zone(rest) };
    let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    (1..=9).contains(&(fraction.len() - rest.len())) && zone(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detect_format_returns_format_of_string() {
        for (text, expected) in [
            ("", Format::Plain),
            ("True", Format::Plain),
            ("2026-11-18T06:13:02.004512Z", Format::Plain),
            ("2026-11-18T06:13:02+02:00", Format::Plain),
            ("2026-11-18T06:13:02.Z", Format::Text),
            ("2026-11-18 for web-01", Format::Text),
            ("225494730938493804", Format::Digits),
            ("7D0C2AB5F1E64C09", Format::Hex),
            ("facade", Format::Text),
            ("6f1d2c3b-4a59-4687-a1b2-c3d4e5f60718", Format::Uuid),
            ("00:00:5e:00:53:0f", Format::Mac),
            ("00-00-5E-00-53-0F", Format::Mac),
            ("192.0.2.15", Format::Ipv4(Ipv4Addr::new(192, 0, 2, 15), "")),
            ("192.0.2.15:443", Format::Ipv4(Ipv4Addr::new(192, 0, 2, 15), ":443")),
            ("192.0.2.0/24", Format::Ipv4(Ipv4Addr::new(192, 0, 2, 0), "/24")),
            ("24.1.4.257", Format::Text),
            ("2001:db8::15", Format::Ipv6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x15), "")),
            ("sample@example.com", Format::Email),
            ("https://u:p@files.example.com:8443/results?a=1", Format::Url("https", "files.example.com")),
            ("web-01.corp.example.net", Format::Host),
            ("explorer.exe", Format::Text),
            ("web-01", Format::Text),
        ] {
            assert_eq!(detect_format(text), expected, "{text:?}");
        }
    }

    #[test]
    fn digits_permutes_strings_of_equal_length() {
        let pseudonymizer = Pseudonymizer::new(b"k");
        for length in 1..=3_usize {
            let all: Vec<String> =
                (0..10_usize.pow(length as u32)).map(|n| format!("{n:0length$}")).collect();
            let mut replaced: Vec<String> = all.iter().map(|text| pseudonymizer.digits(text)).collect();
            replaced.sort();
            assert_eq!(replaced, all, "each result occurs once");
        }
        for number in [u64::MAX, i64::MAX as u64, i64::MAX as u64 + 1, 10_000_000_000] {
            let replaced: u64 = pseudonymizer.digits(&number.to_string()).parse().unwrap();
            assert_eq!(i64::try_from(replaced).is_ok(), i64::try_from(number).is_ok());
        }
    }
}
