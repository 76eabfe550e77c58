//! A server of prepared bytes, one thread a connection: what it costs is the same for whoever asks.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use crate::page;

const UPDATED: &[u8] = br#"{"data":{"affected":1}}"#;

/// Answers `GET` with the page that the cursor names, of a list of so many pages, and `POST` with the word that one
/// thing was changed. Returns only when the listener fails.
///
/// # Errors
/// When no connection can be taken.
pub fn serve(listener: &TcpListener, pages: usize) -> io::Result<()> {
    let opening: Arc<[u8]> = page::opening().map_err(io::Error::other)?.into();
    loop {
        let (stream, _) = listener.accept()?;
        let opening = Arc::clone(&opening);
        // Whoever hangs up is no failure.
        std::thread::spawn(move || drop(answer(stream, &opening, pages)));
    }
}

fn answer(stream: TcpStream, opening: &[u8], pages: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = BufReader::new(stream.try_clone()?);
    let mut answers = stream;
    let (mut line, mut body) = (String::new(), Vec::new());
    loop {
        let (mut start, mut length) = (String::new(), 0);
        loop {
            line.clear();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if start.is_empty() {
                start.clone_from(&line);
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
        if start.starts_with("POST") {
            answers.write_all(&[head(UPDATED.len()).as_bytes(), UPDATED].concat())?;
            continue;
        }
        let number = start.split("page-").nth(1).map(|rest| rest.chars().take_while(char::is_ascii_digit));
        let number: usize = number.and_then(|digits| digits.collect::<String>().parse().ok()).unwrap_or(1);
        let closing = page::closing((number < pages).then_some(number + 1), pages * page::THREATS);
        answers.write_all(head(opening.len() + closing.len()).as_bytes())?;
        answers.write_all(opening)?;
        answers.write_all(&closing)?;
    }
}

fn head(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n")
}
