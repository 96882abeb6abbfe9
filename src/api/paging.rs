//! The query parameters of paged lists: `?limit=&cursor=`.

use actix_web::HttpRequest;

use super::{ApiError, body::FieldReader};
use crate::domain::{Cursor, PageRequest};

/// The query parameters, for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what parse_page_request reads")]
pub(super) struct PageQuery {
    /// Maximum number of items.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u64>,
    /// `next_cursor` of the previous page.
    #[param(pattern = "^[0-9a-f]{32}$")]
    cursor: Option<String>,
}

/// Parses the query of a paged list.
///
/// # Errors
/// 422 `VALIDATION_FAILED` if a parameter is invalid, repeated or unknown.
pub(super) fn parse_page_request(request: &HttpRequest) -> Result<PageRequest, ApiError> {
    let mut query = FieldReader::from_query(request);
    let limit = query
        .optional("limit", |text| PageRequest::parse_limit(&text))
        .unwrap_or_default();
    let cursor = query.optional("cursor", |text| Cursor::parse(&text));
    query.validate(Some(match cursor {
        Some(cursor) => limit.after(cursor),
        None => limit,
    }))
}
