//! New request ids.

use std::time::{Duration, SystemTime};

use bearward::RequestId;
use uuid::{Builder, Uuid, fmt::Hyphenated};

/// Creates a request id: a UUID v7 (RFC 9562 §5.7).
///
/// The 12 bits after the milliseconds are the fraction of the millisecond (RFC 9562 §6.2, method
/// 3). The other 62 are not from the random number generator of the operating system, which costs
/// a system call: ids of requests need to be unique, and no secret depends on them.
pub(super) fn new_request_id() -> RequestId {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let id = uuid_v7(now.unwrap_or_default(), fastrand::u64(..));
    let mut buffer = [0; Hyphenated::LENGTH];
    RequestId::parse(id.hyphenated().encode_lower(&mut buffer))
        .expect("a UUID is a valid request id")
}

fn uuid_v7(since_1970: Duration, random: u64) -> Uuid {
    let millis = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
    let fraction = (u64::from(since_1970.subsec_nanos() % 1_000_000) << 12) / 1_000_000;
    let mut bytes = [0; 10];
    let fraction = u16::try_from(fraction).unwrap_or_default();
    bytes[..2].copy_from_slice(&fraction.to_be_bytes());
    bytes[2..].copy_from_slice(&random.to_be_bytes());
    Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_have_the_time_the_version_and_the_variant() {
        let time = Duration::new(1_645_557_742, 123_999_999);
        let id = uuid_v7(time, u64::MAX).to_string();
        // The timestamp of the example in RFC 9562, appendix A.6, plus 123 ms.
        assert_eq!(id, "017f22e2-7a2b-7fff-bfff-ffffffffffff");
        let id = uuid_v7(Duration::new(1_645_557_742, 123_500_000), 0).to_string();
        assert_eq!(id, "017f22e2-7a2b-7800-8000-000000000000");
    }

    #[test]
    fn ids_are_different() {
        let ids: HashSet<_> = (0..10_000).map(|_| new_request_id()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
