//! The limit of file descriptors, which bounds the number of connections.

/// The limit of connections if the system has no lower one.
const MAX_CONNECTIONS: usize = 50_000;

/// Raises the limit of file descriptors and returns how many client connections fit into it.
///
/// A quarter is reserved for the database, issuers, the completion service and files.
pub(super) fn max_connections() -> usize {
    let descriptors = raise_limit();
    let max = (descriptors - descriptors / 4).clamp(16, MAX_CONNECTIONS);
    tracing::info!(
        descriptors,
        max_connections = max,
        "the limit of open connections"
    );
    max
}

/// Raises the soft limit of file descriptors to the hard limit and returns it.
#[cfg(unix)]
pub(super) fn raise_limit() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let (soft, hard) = (limit.current, limit.maximum);
    let mut current = soft;
    if soft != hard {
        let raised = Rlimit {
            current: hard,
            maximum: hard,
        };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => {
                tracing::info!(
                    from = soft,
                    to = hard,
                    "the limit of file descriptors was raised"
                );
                current = hard;
            }
            Err(error) => tracing::warn!(%error, "the limit of file descriptors stays at {soft:?}"),
        }
    }
    // `None` is no limit.
    current.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    })
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(super) fn raise_limit() -> usize {
    usize::MAX
}
