//! Free ports, for processes that do not report which port they bind for 0.

use std::{
    net::{SocketAddr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

/// Returns an address of 127.0.0.1 on which nothing listens. The port is below the ephemeral range,
/// where another test server could take it, and is returned only once.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id()
            .wrapping_mul(61)
            .wrapping_add(NEXT.fetch_add(1, Ordering::SeqCst));
        let port = 15_000 + u16::try_from(number % 17_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return ([127, 0, 0, 1], port).into();
        }
    }
}
