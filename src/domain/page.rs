//! Keyset pagination: a page starts after a row, not after a number of rows, so rows that are added
//! in the meantime do not shift the following pages.

use serde::Serialize;
use uuid::Uuid;

use super::validation::ValidationError;

/// The page that a client requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    limit: u64,
    after: Option<Cursor>,
}

/// The position after the last row of a page. Opaque to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub(crate) Uuid);

/// One page of a list, newest item first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Value of `cursor` for the next page; null on the last page.
    pub next_cursor: Option<String>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            limit: Self::DEFAULT_LIMIT,
            after: None,
        }
    }
}

impl PageRequest {
    /// Maximum number of rows per page.
    pub const MAX_LIMIT: u64 = 100;
    /// Number of rows per page if the request has no `limit`.
    pub const DEFAULT_LIMIT: u64 = 50;

    /// Parses the `limit` query parameter into a request for the first page.
    ///
    /// # Errors
    /// [`InvalidLimit`] if the text is not a number from 1 to 100.
    pub fn parse_limit(limit: &str) -> Result<Self, InvalidLimit> {
        let limit = limit
            .parse()
            .ok()
            .filter(|limit| (1..=Self::MAX_LIMIT).contains(limit));
        limit
            .map(|limit| Self { limit, after: None })
            .ok_or(InvalidLimit)
    }

    /// Requests the page that starts after this row.
    #[must_use]
    pub fn after(self, cursor: Cursor) -> Self {
        Self {
            after: Some(cursor),
            ..self
        }
    }

    /// Returns the maximum number of rows.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Returns the id of the row that the page starts after.
    pub fn after_id(&self) -> Option<Uuid> {
        self.after.map(|cursor| cursor.0)
    }

    /// Builds a page from up to `limit + 1` rows. The extra row only shows that there is another
    /// page.
    pub(crate) fn page<T>(&self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows
            .last()
            .filter(|_| has_more)
            .map(|last| Cursor(id(last)).to_string());
        Page {
            items: rows,
            next_cursor,
        }
    }
}

/// The `limit` is not a number from 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from 1 to {}", PageRequest::MAX_LIMIT)]
pub struct InvalidLimit;

impl Cursor {
    /// Parses a `next_cursor` value.
    ///
    /// # Errors
    /// [`ValidationError::InvalidCursor`] if the text does not have the format of a `next_cursor`.
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

    use super::{Cursor, InvalidLimit, PageRequest};

    #[test]
    fn limit_is_1_to_100_and_defaults_to_50() {
        for valid in ["1", "100"] {
            assert!(PageRequest::parse_limit(valid).is_ok(), "{valid}");
        }
        for invalid in ["0", "101", "-1", "1.5", "", "many", "99999999999999999999"] {
            assert_eq!(
                PageRequest::parse_limit(invalid),
                Err(InvalidLimit),
                "{invalid}"
            );
        }
        assert_eq!(PageRequest::default().limit(), 50);
    }

    #[test]
    fn last_page_has_no_cursor_even_if_full() {
        let request = PageRequest::parse_limit("2").unwrap_or_default();
        let rows: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
        let page = request.page(rows.clone(), |id| *id);
        assert_eq!(
            page.next_cursor.as_deref(),
            Some("00000000000000000000000000000002")
        );
        assert_eq!(request.page(rows[..2].to_vec(), |id| *id).next_cursor, None);
    }

    #[test]
    fn cursor_parses_only_its_own_format() {
        let cursor = Cursor(Uuid::from_u128(7));
        assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor));
        for invalid in [
            "",
            "7",
            "00000000-0000-0000-0000-000000000007",
            "0000000000000000000000000000000G",
            "' OR 1=1 --",
        ] {
            assert!(Cursor::parse(invalid).is_err(), "{invalid}");
        }
    }
}
