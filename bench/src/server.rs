//! HTTP server that sends prepared bytes, with one thread per connection. Its overhead is equal for all clients.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use crate::page;

const UPDATED: &[u8] = br#"{"data":{"affected":1}}"#;

/// Responds to `GET` with the page of the cursor, from a list of `pages` pages, and to `POST` with one affected item.
/// Returns only if the listener fails.
///
/// # Errors
/// Returns an error if a connection cannot be accepted.
pub fn serve(listener: &TcpListener, pages: usize) -> io::Result<()> {
    let prefix: Arc<[u8]> = page::prefix().map_err(io::Error::other)?.into();
    loop {
        let (stream, _) = listener.accept()?;
        let prefix = Arc::clone(&prefix);
        // A closed connection is not an error.
        std::thread::spawn(move || drop(serve_connection(stream, &prefix, pages)));
    }
}

fn serve_connection(stream: TcpStream, prefix: &[u8], pages: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = BufReader::new(stream.try_clone()?);
    let mut responses = stream;
    let (mut line, mut body) = (String::new(), Vec::new());
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
        if request_line.starts_with("POST") {
            responses.write_all(&[response_head(UPDATED.len()).as_bytes(), UPDATED].concat())?;
            continue;
        }
        let number =
            request_line.split("page-").nth(1).map(|rest| rest.chars().take_while(char::is_ascii_digit));
        let number: usize = number.and_then(|digits| digits.collect::<String>().parse().ok()).unwrap_or(1);
        let suffix = page::suffix((number < pages).then_some(number + 1), pages * page::THREATS);
        responses.write_all(response_head(prefix.len() + suffix.len()).as_bytes())?;
        responses.write_all(prefix)?;
        responses.write_all(&suffix)?;
    }
}

fn response_head(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n")
}
