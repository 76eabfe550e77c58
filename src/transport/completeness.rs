//! Check that a zip archive was received completely, by its end record.
//!
//! The check reads the beginning and the end of the archive only. It needs neither the password nor the crate `zip`, so
//! it is part of every build.

use memchr::memmem::rfind_iter;

use crate::error::{HtmlPage, excerpt};

/// Number of bytes kept from the end of a download. The end record with the longest comment has 65,557 bytes.
const TAIL: usize = 128 * 1024;

/// Number of bytes kept from the beginning of a download.
const HEAD: usize = 1024;

/// Signatures of the first record: a file, an empty archive, and the markers of an archive that was written in parts.
const STARTS: [&[u8]; 4] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00PK"];
const GZIP: &[u8] = b"\x1f\x8b";
const CENTRAL_ENTRY: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_SIZE: usize = 22;
const LOCATOR64: &[u8] = b"PK\x06\x07";
const LOCATOR64_SIZE: usize = 20;
const END64: &[u8] = b"PK\x06\x06";

/// The reason why a download is expected to be a zip archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expectation {
    /// Nothing indicates an archive. Content that begins like one is checked.
    Content,
    /// The operation returns archives. A gzip stream is accepted: it has no end record.
    Operation,
    /// The file name, the URL or the content type names a zip archive.
    Name,
}

/// Returns whether content begins like a zip archive.
pub(super) fn starts_like_zip(content: &[u8]) -> bool {
    STARTS.iter().any(|start| content.starts_with(start))
}

/// The beginning and the end of a download.
pub(super) struct Completeness {
    pub(super) expected: Expectation,
    head: Vec<u8>,
    tail: Vec<u8>,
    received: u64,
}

impl Completeness {
    pub(super) fn new(expected: Expectation) -> Self {
        Self { expected, head: Vec::new(), tail: Vec::new(), received: 0 }
    }

    /// Adds received bytes.
    pub(super) fn add(&mut self, chunk: &[u8]) {
        let missing = HEAD.saturating_sub(self.head.len());
        self.head.extend_from_slice(chunk.get(..missing).unwrap_or(chunk));
        if chunk.len() >= TAIL {
            self.tail.clear();
        } else if self.tail.len() + chunk.len() > 2 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
        self.tail.extend_from_slice(chunk.get(chunk.len().saturating_sub(TAIL)..).unwrap_or(chunk));
        self.received += chunk.len() as u64;
    }

    /// Checks the archive after the last byte. Returns the defect; `None` if the archive is complete, or the download
    /// is not expected to be an archive.
    pub(super) fn defect(&self) -> Option<String> {
        let starts_like_zip = starts_like_zip(&self.head);
        let is_expected = match self.expected {
            Expectation::Content => starts_like_zip,
            Expectation::Operation => !self.head.starts_with(GZIP),
            Expectation::Name => true,
        };
        let received = self.received;
        match () {
            () if !is_expected => None,
            () if received == 0 => Some("the archive is empty: the download has 0 bytes".to_owned()),
            () if !starts_like_zip => Some(match self.text() {
                Some(text) => format!("not a zip archive: the download has {received} bytes: {text}"),
                None => format!("not a zip archive: the download has {received} bytes"),
            }),
            () if rfind_iter(&self.tail, END).any(|at| self.is_end(at).is_some()) => None,
            () => Some(format!(
                "the archive is truncated: the download has {received} bytes, and its end record is missing or does \
                 not match this size"
            )),
        }
    }

    /// Returns the HTML page, if the download is one in place of an archive.
    pub(super) fn page(&self) -> Option<HtmlPage> {
        HtmlPage::of(None, &self.head)
    }

    /// Returns the beginning of a download that is a text, such as an error of a server.
    fn text(&self) -> Option<String> {
        let text = match std::str::from_utf8(&self.head) {
            Ok(text) => text,
            // The last character may be cut.
            Err(error) if error.error_len().is_none() => {
                std::str::from_utf8(self.head.get(..error.valid_up_to())?).ok()?
            }
            Err(_) => return None,
        };
        let is_binary = text.contains(|c: char| c.is_control() && !c.is_whitespace());
        if is_binary { None } else { excerpt(text.as_bytes()) }
    }

    /// Checks the end record at an offset of the tail: it ends with the download, and the central directory is in front
    /// of it at the position that it names. If a part of the archive is missing, these positions differ.
    fn is_end(&self, at: usize) -> Option<()> {
        let record = self.tail.get(at..)?;
        let comment = usize::from(u16::from_le_bytes(bytes(record, 20)?));
        let disk = u16::from_le_bytes(bytes(record, 4)?);
        if record.len() != END_SIZE + comment || !matches!(disk, 0 | u16::MAX) {
            return None;
        }
        let size = u64::from(u32::from_le_bytes(bytes(record, 12)?));
        let start = u64::from(u32::from_le_bytes(bytes(record, 16)?));
        let end = self.tail_start() + at as u64;
        if start.checked_add(size) == Some(end) {
            return self.is_directory(start, size);
        }
        // Zip64: a locator in front of the end record has the offset of a record with longer numbers.
        let locator_at = at.checked_sub(LOCATOR64_SIZE)?;
        let locator = self.tail.get(locator_at..at).filter(|locator| locator.starts_with(LOCATOR64))?;
        let end = u64::from_le_bytes(bytes(locator, 8)?);
        let end_at = usize::try_from(end.checked_sub(self.tail_start())?).ok()?;
        let record = self.tail.get(end_at..locator_at).filter(|record| record.starts_with(END64))?;
        let length = u64::from_le_bytes(bytes(record, 4)?);
        let size = u64::from_le_bytes(bytes(record, 40)?);
        let start = u64::from_le_bytes(bytes(record, 48)?);
        if length.checked_add(12) != Some(record.len() as u64) || start.checked_add(size) != Some(end) {
            return None;
        }
        self.is_directory(start, size)
    }

    /// Checks that the central directory begins with an entry, unless it is empty or begins before the tail.
    fn is_directory(&self, start: u64, size: u64) -> Option<()> {
        let in_tail = start.checked_sub(self.tail_start()).and_then(|at| usize::try_from(at).ok());
        match in_tail {
            Some(at) if size > 0 => self.tail.get(at..)?.starts_with(CENTRAL_ENTRY).then_some(()),
            _ => Some(()),
        }
    }

    /// Returns the position of the tail in the download.
    fn tail_start(&self) -> u64 {
        self.received - self.tail.len() as u64
    }
}

/// Returns the bytes of a number at an offset.
fn bytes<const N: usize>(record: &[u8], at: usize) -> Option<[u8; N]> {
    record.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns an archive of one stored file, with the records of the format.
    fn archive(content: &[u8], comment: &[u8], is_zip64: bool) -> Vec<u8> {
        let mut zip = b"PK\x03\x04".to_vec();
        zip.extend_from_slice(&[0; 26]);
        zip.extend_from_slice(content);
        let start = zip.len() as u64;
        zip.extend_from_slice(CENTRAL_ENTRY);
        zip.extend_from_slice(&[0; 42]);
        let end = zip.len() as u64;
        if is_zip64 {
            zip.extend_from_slice(END64);
            zip.extend_from_slice(&44_u64.to_le_bytes());
            zip.extend_from_slice(&[0; 28]);
            zip.extend_from_slice(&(end - start).to_le_bytes());
            zip.extend_from_slice(&start.to_le_bytes());
            zip.extend_from_slice(LOCATOR64);
            zip.extend_from_slice(&[0; 4]);
            zip.extend_from_slice(&end.to_le_bytes());
            zip.extend_from_slice(&1_u32.to_le_bytes());
        }
        let short = |long: u64| if is_zip64 { u32::MAX } else { u32::try_from(long).unwrap_or(u32::MAX) };
        zip.extend_from_slice(END);
        zip.extend_from_slice(&[0; 8]);
        zip.extend_from_slice(&short(end - start).to_le_bytes());
        zip.extend_from_slice(&short(start).to_le_bytes());
        zip.extend_from_slice(&u16::try_from(comment.len()).unwrap_or(u16::MAX).to_le_bytes());
        zip.extend_from_slice(comment);
        zip
    }

    /// Returns the defect of a download that arrives in chunks of a size.
    fn defect(expected: Expectation, content: &[u8], size: usize) -> Option<String> {
        let mut check = Completeness::new(expected);
        content.chunks(size).for_each(|chunk| check.add(chunk));
        check.defect()
    }

    fn archives() -> Vec<Vec<u8>> {
        let nested = archive(b"inner", b"", false);
        let mut archives = Vec::new();
        for is_zip64 in [false, true] {
            for comment in
                [b"".as_slice(), b"a comment", b"with PK\x05\x06 in it, and more than one record of text"]
            {
                archives.push(archive(b"content", comment, is_zip64));
                archives.push(archive(&nested, comment, is_zip64));
            }
        }
        archives
    }

    #[test]
    fn defect_complete_archive_is_none() {
        let large = archive(&vec![7; 3 * TAIL], &[b'c'; 65_535], true);
        for zip in archives().iter().chain([&large]) {
            for size in [zip.len(), TAIL + 1, 4096, 7] {
                assert_eq!(defect(Expectation::Content, zip, size), None, "chunks of {size} bytes");
            }
        }
        let empty = [END, &[0; 18]].concat();
        assert_eq!(defect(Expectation::Name, &empty, 22), None, "an archive without files");
    }

    #[test]
    fn defect_archive_cut_at_any_byte_is_reported() {
        for zip in archives() {
            for length in 4..zip.len() {
                let message = defect(Expectation::Content, &zip[..length], zip.len()).unwrap_or_default();
                assert!(
                    message.contains("truncated") && message.contains(&format!("{length} bytes")),
                    "{message}"
                );
            }
        }
    }

    #[test]
    fn defect_archive_with_missing_or_added_byte_is_reported() {
        for zip in archives() {
            for at in 4..zip.len() {
                let missing = [&zip[..at], &zip[at + 1..]].concat();
                assert!(defect(Expectation::Content, &missing, 64).is_some(), "byte {at} is missing");
            }
            for added in [[&zip, b"\n".as_slice()].concat(), [&zip[..9], b"x", &zip[9..]].concat()] {
                assert!(defect(Expectation::Content, &added, 64).is_some());
            }
        }
    }

    #[test]
    fn defect_other_content_follows_expectation() {
        use Expectation::{Content, Name, Operation};
        for (content, expected, words) in [
            (b"".as_slice(), Operation, Some("0 bytes")),
            (b"", Name, Some("0 bytes")),
            (b"", Content, None),
            (b"<html><title>Log in</title></html>", Operation, Some("Log in")),
            (b"{\"errors\":[{\"title\":\"Gone\"}]}", Name, Some("Gone")),
            (b"plain output", Content, None),
            (b"\x1f\x8b\x08\x00", Operation, None),
            (b"\x1f\x8b\x08\x00", Name, Some("not a zip archive")),
            (b"\x7fELF\x00\x01", Operation, Some("not a zip archive")),
            (b"PK", Name, Some("not a zip archive")),
        ] {
            let found = defect(expected, content, 64);
            match words {
                Some(words) => assert!(found.as_ref().is_some_and(|one| one.contains(words)), "{found:?}"),
                None => assert_eq!(found, None, "{content:?}"),
            }
        }
    }
}
