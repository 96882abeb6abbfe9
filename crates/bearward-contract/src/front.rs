//! A TCP proxy in front of the mock IdP, which can refuse and reset connections.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinSet,
};

/// What happens to connections to the issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connections {
    /// They reach the mock IdP.
    Forward,
    /// Nothing listens on the port.
    Refuse,
    /// They are accepted and then reset.
    Reset,
}

/// The proxy. Runs on its own thread, and stops when it is dropped.
pub(super) struct Front {
    address: SocketAddr,
    commands: Option<mpsc::UnboundedSender<Command>>,
    resets: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

/// A change, and the notification that it is in effect.
type Command = (Connections, oneshot::Sender<()>);

/// The pause before another attempt to listen or to accept.
const RETRY_DELAY: Duration = Duration::from_millis(20);

impl Front {
    /// Forwards the connections of `listener` to `upstream`.
    pub(super) fn start(listener: std::net::TcpListener, upstream: SocketAddr) -> io::Result<Self> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (sender, receiver) = mpsc::unbounded_channel();
        let resets = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&resets);
        let thread = thread::spawn(move || {
            runtime.block_on(async move {
                if let Ok(listener) = TcpListener::from_std(listener) {
                    serve(listener, address, upstream, &counter, receiver).await;
                }
            });
        });
        Ok(Self {
            address,
            commands: Some(sender),
            resets,
            thread: Some(thread),
        })
    }

    #[cfg(test)]
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the number of connections that were reset.
    pub(super) fn resets(&self) -> usize {
        self.resets.load(Ordering::SeqCst)
    }

    /// Changes what happens to connections, and waits until that is in effect. A change closes the
    /// open connections.
    pub(super) async fn set(&self, connections: Connections) {
        let (applied, is_applied) = oneshot::channel();
        if let Some(commands) = &self.commands
            && commands.send((connections, applied)).is_ok()
        {
            drop(is_applied.await);
        }
    }
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Front").field(&self.address).finish()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.commands.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}

async fn serve(
    listener: TcpListener,
    address: SocketAddr,
    upstream: SocketAddr,
    resets: &AtomicUsize,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let mut connections = Connections::Forward;
    let mut listener = Some(listener);
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            command = commands.recv() => {
                let Some((next, applied)) = command else {
                    return;
                };
                if next != connections {
                    // A connection that the target keeps open would evade the change.
                    open.shutdown().await;
                    listener = match (next, listener.take()) {
                        (Connections::Refuse, _) => None,
                        (_, Some(listener)) => Some(listener),
                        (_, None) => Some(listen(address).await),
                    };
                    connections = next;
                }
                let _ = applied.send(());
            }
            stream = accept(listener.as_ref()) => match connections {
                Connections::Reset => {
                    resets.fetch_add(1, Ordering::SeqCst);
                    reset(stream);
                }
                _ => drop(open.spawn(forward(stream, upstream))),
            },
            Some(_) = open.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(_) => tokio::time::sleep(RETRY_DELAY).await,
        }
    }
}

/// Listens again. Another process may use the port for a moment, for an outgoing connection.
async fn listen(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(RETRY_DELAY).await,
        }
    }
}

async fn forward(mut client: TcpStream, upstream: SocketAddr) {
    if let Ok(mut server) = TcpStream::connect(upstream).await {
        drop(copy_bidirectional(&mut client, &mut server).await);
    }
}

/// Closes the connection with RST instead of FIN.
#[allow(
    deprecated,
    reason = "a linger time of zero does not block; older releases have no other method"
)]
fn reset(stream: TcpStream) {
    drop(stream.set_linger(Some(Duration::ZERO)));
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// Sends one byte and returns the response, or the kind of the error.
    fn exchange(address: SocketAddr) -> Result<u8, io::ErrorKind> {
        let mut stream = std::net::TcpStream::connect(address).map_err(|error| error.kind())?;
        let mut byte = [1];
        stream
            .write_all(&byte)
            .and_then(|()| stream.read_exact(&mut byte))
            .map_err(|error| error.kind())?;
        Ok(byte[0])
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn connections_are_forwarded_refused_and_reset() {
        let upstream = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream_address = upstream.local_addr().unwrap();
        thread::spawn(move || {
            for stream in upstream.incoming().flatten() {
                thread::spawn(move || {
                    let mut stream = stream;
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).is_ok() {
                        stream.write_all(&[byte[0] + 1]).unwrap();
                    }
                });
            }
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let front = Front::start(listener, upstream_address).unwrap();
        let address = front.address();
        let mut kept_open = std::net::TcpStream::connect(address).unwrap();
        kept_open.write_all(&[5]).unwrap();
        let mut byte = [0];
        kept_open.read_exact(&mut byte).unwrap();
        assert_eq!(byte, [6]);
        for _ in 0..2 {
            front.set(Connections::Refuse).await;
            assert_eq!(exchange(address), Err(io::ErrorKind::ConnectionRefused));
            assert!(kept_open.read_exact(&mut byte).is_err(), "it was closed");
            front.set(Connections::Forward).await;
            assert_eq!(exchange(address), Ok(2));
            let resets = front.resets();
            front.set(Connections::Reset).await;
            assert_eq!(exchange(address), Err(io::ErrorKind::ConnectionReset));
            assert_eq!(front.resets(), resets + 1);
        }
    }
}
