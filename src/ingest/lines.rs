//! Lines of files, however long.

use std::io::{self, BufRead, Read};

/// A line of a file.
#[derive(Debug)]
pub enum Line<'a> {
    /// The line, without its end.
    Whole(&'a [u8]),
    /// Longer than the limit, skipped: its length.
    TooLong(usize),
}

impl Line<'_> {
    /// Its bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.len(),
            Self::TooLong(length) => *length,
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Hands out lines with their numbers from 1, never holding more of one than `most` bytes; `each` answers whether to go on.
///
/// # Errors
/// The source cannot be read, or `each` fails.
pub fn lines<E: From<io::Error>>(
    source: &mut impl BufRead,
    most: usize,
    mut each: impl FnMut(usize, Line<'_>) -> Result<bool, E>,
) -> Result<(), E> {
    let mut number = 0;
    let mut line = Vec::new();
    loop {
        number += 1;
        line.clear();
        let read = source.by_ref().take(most as u64 + 2).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let ended = line.last() == Some(&b'\n');
        if ended {
            line.pop();
        }
        let goes_on = if line.len() > most {
            let rest = if ended { 0 } else { skip_line(source)? };
            each(number, Line::TooLong(line.len() + rest))?
        } else {
            each(number, Line::Whole(&line))?
        };
        if !goes_on {
            return Ok(());
        }
    }
}

/// Passes over the rest of a line; its length.
fn skip_line(source: &mut impl BufRead) -> io::Result<usize> {
    let mut skipped = 0;
    loop {
        let buffer = source.fill_buf()?;
        if buffer.is_empty() {
            return Ok(skipped);
        }
        match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => {
                source.consume(at + 1);
                return Ok(skipped + at);
            }
            None => {
                let length = buffer.len();
                skipped += length;
                source.consume(length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_skipped_and_the_next_one_read() {
        let text = format!("short\n{}\nlast", "x".repeat(50));
        let mut seen = Vec::new();
        lines(&mut text.as_bytes(), 10, |number, line| {
            seen.push(match line {
                Line::Whole(bytes) => format!("{number}:{}", String::from_utf8_lossy(bytes)),
                Line::TooLong(length) => format!("{number}:too long {length}"),
            });
            Ok::<bool, io::Error>(true)
        })
        .unwrap();
        assert_eq!(seen, ["1:short", "2:too long 50", "3:last"]);
    }
}
