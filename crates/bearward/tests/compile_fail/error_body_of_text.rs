//! An error body is JSON, or content with a media type.

use bearward::Bearward;

fn main() {
    let _builder = Bearward::builder().error_body(|error, _| error.to_string());
}
