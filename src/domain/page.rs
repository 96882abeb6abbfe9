//! A list, a page at a time: pages stay right while rows are added, because each begins after a row
//! and not after a number of rows.

use serde::Serialize;
use uuid::Uuid;

use super::validation::ValidationError;

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    limit: u64,
    after: Option<Cursor>,
}

/// Where a page ends. To clients it is opaque.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub(crate) Uuid);

/// A page, newest first, and what to ask for to see the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            limit: Self::USUAL,
            after: None,
        }
    }
}

impl PageRequest {
    /// The most rows of a page.
    pub const MOST: u64 = 100;
    /// The rows of a page when the request names no number.
    pub const USUAL: u64 = 50;

    /// The first page, of as many rows as the text says.
    ///
    /// # Errors
    /// Anything but a number from 1 to 100.
    pub fn limited(limit: &str) -> Result<Self, OutOfRange> {
        let limit = limit
            .parse()
            .ok()
            .filter(|limit| (1..=Self::MOST).contains(limit));
        limit
            .map(|limit| Self { limit, after: None })
            .ok_or(OutOfRange)
    }

    /// The page that begins after this row.
    #[must_use]
    pub fn after_row(self, cursor: Cursor) -> Self {
        Self {
            after: Some(cursor),
            ..self
        }
    }

    /// How many rows.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// After which row.
    pub fn after(&self) -> Option<Uuid> {
        self.after.map(|cursor| cursor.0)
    }

    /// Makes a page of one row more than was asked for, which tells whether there is another page.
    pub(crate) fn page<T>(&self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows
            .last()
            .filter(|_| more)
            .map(|last| Cursor(id(last)).to_string());
        Page {
            items: rows,
            next_cursor,
        }
    }
}

/// The limit is not 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from 1 to {}", PageRequest::MOST)]
pub struct OutOfRange;

impl Cursor {
    /// # Errors
    /// When it is not one that a page has given.
    pub fn parse(text: &str) -> Result<Self, ValidationError> {
        let id = Uuid::try_parse(text)
            .ok()
            .filter(|id| id.simple().to_string() == text);
        id.map(Self).ok_or(ValidationError::InvalidCursor)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.simple().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Cursor, OutOfRange, PageRequest};

    #[test]
    fn a_page_has_1_to_100_rows_and_50_unless_told_otherwise() {
        for fits in ["1", "100"] {
            assert!(PageRequest::limited(fits).is_ok(), "{fits}");
        }
        for wrong in ["0", "101", "-1", "1.5", "", "many", "99999999999999999999"] {
            assert_eq!(PageRequest::limited(wrong), Err(OutOfRange), "{wrong}");
        }
        assert_eq!(PageRequest::default().limit(), 50);
    }

    #[test]
    fn the_last_page_has_no_cursor_even_when_it_is_full() {
        let request = PageRequest::limited("2").unwrap_or_default();
        let rows: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
        let page = request.page(rows.clone(), |id| *id);
        assert_eq!(
            page.next_cursor.as_deref(),
            Some("00000000000000000000000000000002")
        );
        assert_eq!(request.page(rows[..2].to_vec(), |id| *id).next_cursor, None);
    }

    #[test]
    fn a_cursor_reads_as_it_was_written_and_nothing_else() {
        let cursor = Cursor(Uuid::from_u128(7));
        assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor));
        for wrong in [
            "",
            "7",
            "00000000-0000-0000-0000-000000000007",
            "0000000000000000000000000000000G",
            "' OR 1=1 --",
        ] {
            assert!(Cursor::parse(wrong).is_err(), "{wrong}");
        }
    }
}
