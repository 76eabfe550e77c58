//! HTTP server that sends prepared bytes, with one thread per connection. Its overhead is equal for all clients.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::page::{self, PageBuffer};

/// Responds to `GET` with a page of threats, from a list of `pages` full pages, and to `POST` with the number of IDs in
/// its filter. Each response is sent after `delay`. Returns only if the listener fails.
///
/// The list accepts `cursor`, `limit`, `countOnly`, `sortOrder` and the bounds of `createdAt`, and ignores all other
/// parameters. It is sorted by creation time.
///
/// # Errors
/// Returns an error if a connection cannot be accepted.
pub fn serve(listener: &TcpListener, pages: usize, delay: Duration) -> io::Result<()> {
    let page = Arc::new(PageBuffer::new().map_err(io::Error::other)?);
    let total = (pages * page::THREATS) as u64;
    loop {
        let (stream, _) = listener.accept()?;
        let page = Arc::clone(&page);
        std::thread::spawn(move || {
            // A closed connection is not an error. An invalid request closes its connection.
            let _ = serve_connection(stream, &page, total, delay);
        });
    }
}

fn serve_connection(stream: TcpStream, page: &PageBuffer, total: u64, delay: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = BufReader::new(stream.try_clone()?);
    let mut responses = stream;
    let (mut line, mut body) = (String::new(), Vec::new());
    // Connections that only send actions do not copy the page.
    let mut page = Cow::Borrowed(page);
    loop {
        let (mut request_line, mut length) = (String::new(), 0);
        loop {
            line.clear();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if request_line.is_empty() {
                request_line.clone_from(&line);
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or_default();
            }
            if line == "\r\n" {
                break;
            }
        }
        body.resize(length, 0);
        requests.read_exact(&mut body)?;
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        if request_line.starts_with("POST") {
            let affected = affected(&body)?;
            let body = format!(r#"{{"data":{{"affected":{affected}}}}}"#);
            responses.write_all((response_head(body.len()) + &body).as_bytes())?;
            continue;
        }
        let target = request_line.split(' ').nth(1).unwrap_or_default();
        let query = ListQuery::new(target, total).map_err(io::Error::other)?;
        let suffix = page::suffix(query.next_cursor(), query.count());
        let numbers = query.positions().map(|position| query.number(position));
        let threats = page.to_mut().write(numbers).map_err(io::Error::other)?;
        responses.write_all(response_head(threats.len() + suffix.len()).as_bytes())?;
        responses.write_all(threats)?;
        responses.write_all(&suffix)?;
    }
}

fn response_head(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n")
}

/// Returns the number of IDs in the filter of an action.
fn affected(body: &[u8]) -> io::Result<usize> {
    #[derive(Deserialize)]
    struct Action {
        filter: Filter,
    }

    #[derive(Deserialize)]
    struct Filter {
        ids: Vec<IgnoredAny>,
    }

    Ok(serde_json::from_slice::<Action>(body)?.filter.ids.len())
}

/// The query of a list.
struct ListQuery {
    /// Numbers of the threats that match.
    matches: Range<u64>,
    descending: bool,
    /// Position of the first threat of the page among the matches.
    start: u64,
    size: u64,
}

impl ListQuery {
    fn new(target: &str, total: u64) -> Result<Self, String> {
        let url = Url::parse("http://127.0.0.1").and_then(|base| base.join(target));
        let url = url.map_err(|error| format!("{target}: {error}"))?;
        let mut query = Self { matches: 0..total, descending: false, start: 0, size: page::THREATS as u64 };
        for (name, value) in url.query_pairs() {
            let number = || value.parse().map_err(|_| format!("{name}={value} is not a number"));
            let bound = |or_at| page::created_before(&value, or_at);
            let Range { start, end } = query.matches;
            query.matches = match &*name {
                "createdAt__gte" => start.max(bound(false)?)..end,
                "createdAt__gt" => start.max(bound(true)?)..end,
                "createdAt__lt" => start..end.min(bound(false)?),
                "createdAt__lte" => start..end.min(bound(true)?),
                _ => start..end,
            };
            match &*name {
                "cursor" => query.start = number()?,
                "limit" => query.size = number()?.min(page::THREATS as u64),
                "sortOrder" => query.descending = value == "desc",
                _ => {}
            }
        }
        if url.query_pairs().any(|(name, value)| name == "countOnly" && value == "true") {
            query.size = 0;
        }
        Ok(query)
    }

    /// Returns the number of threats that match.
    fn count(&self) -> u64 {
        self.matches.end.saturating_sub(self.matches.start)
    }

    /// Returns the positions of the page among the matches.
    fn positions(&self) -> Range<u64> {
        self.start..self.count().min(self.start.saturating_add(self.size))
    }

    fn number(&self, position: u64) -> u64 {
        if self.descending { self.matches.end - 1 - position } else { self.matches.start + position }
    }

    /// Returns the position of the next page; `None` after the last page, and for a count.
    fn next_cursor(&self) -> Option<String> {
        let end = self.positions().end;
        (self.size > 0 && end < self.count()).then(|| json!(end).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::{ListQuery, affected};

    /// Returns the numbers of the page, the number of matches and the cursor.
    fn page(query: &str) -> (Vec<u64>, u64, Option<String>) {
        let query = ListQuery::new(&format!("/web/api/v2.1/threats?{query}"), 10_000).unwrap();
        (
            query.positions().map(|position| query.number(position)).collect(),
            query.count(),
            query.next_cursor(),
        )
    }

    #[test]
    fn list_query_selects_page() {
        let cursor = |text: &str| Some(text.to_owned());
        assert_eq!(page(""), ((0..1_000).collect(), 10_000, cursor("1000")));
        assert_eq!(page("limit=2&cursor=9998"), (vec![9_998, 9_999], 10_000, None));
        assert_eq!(
            page("limit=2&sortBy=createdAt&sortOrder=desc"),
            (vec![9_999, 9_998], 10_000, cursor("2"))
        );
        assert_eq!(page("countOnly=true"), (vec![], 10_000, None));
        assert_eq!(page("cursor=20000"), (vec![], 10_000, None));
    }

    #[test]
    fn list_query_time_bounds_select_threats() {
        let at = |seconds: &str| format!("2024-01-01T00%3A00%3A{seconds}Z");
        let (one, three) = (at("06.048"), at("18.144"));
        let numbers = |lower: &str, upper: &str| page(&format!("{lower}={one}&{upper}={three}")).0;
        assert_eq!(numbers("createdAt__gte", "createdAt__lt"), [1, 2]);
        assert_eq!(numbers("createdAt__gt", "createdAt__lte"), [2, 3]);
        assert_eq!(page(&format!("createdAt__gte={three}&createdAt__lt={one}")), (vec![], 0, None));
        assert_eq!(page(&format!("createdAt__lt={three}&sortOrder=desc")).0, [2, 1, 0]);
        assert!(ListQuery::new("/threats?createdAt__gte=yesterday", 1).is_err());
    }

    #[test]
    fn affected_is_the_number_of_ids() {
        assert_eq!(affected(br#"{"filter":{"ids":["1","2"]},"data":{}}"#).unwrap(), 2);
        assert!(affected(b"{}").is_err());
    }
}
