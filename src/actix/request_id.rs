//! The id of a request.
use std::fmt;
/// The id of a request.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);
impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
