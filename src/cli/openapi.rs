//! `bearward openapi`: prints the OpenAPI document, for example for client generators.

use super::{Failure, stdout};
use crate::api::Document;

pub(super) fn run() -> Result<(), Failure> {
    stdout::write(format!("{}\n", Document::new().as_str()).as_bytes())
}
