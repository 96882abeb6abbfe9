//! A fake completions service on a free port. Tests control every byte of its responses.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, UnboundedReceiver},
};

/// Passes every call to the test, which responds to it.
pub struct Service {
    pub base_url: String,
    calls: UnboundedReceiver<Call>,
    connections: Arc<AtomicUsize>,
}

/// A complete request. Dropping it closes the connection.
pub struct Call {
    /// Request line and headers, in lower case.
    pub head: String,
    pub body: Value,
    stream: TcpStream,
}

impl Service {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let connections = Arc::<AtomicUsize>::default();
        let (sender, calls) = mpsc::unbounded_channel();
        let connection_count = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connection_count.fetch_add(1, Ordering::SeqCst);
                stream.set_nodelay(true).unwrap();
                let sender = sender.clone();
                tokio::spawn(async move {
                    if let Some(call) = Call::read(stream).await {
                        let _ = sender.send(call);
                    }
                });
            }
        });
        Self {
            base_url,
            calls,
            connections,
        }
    }

    /// Returns the next call on a new connection.
    pub async fn call(&mut self) -> Call {
        within_timeout(self.calls.recv()).await.unwrap()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Call {
    async fn read(mut stream: TcpStream) -> Option<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head
            .split("content-length: ")
            .nth(1)
            .unwrap()
            .split("\r\n")
            .next()
            .unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).await.ok()?;
        Some(Self {
            head,
            body: serde_json::from_slice(&body).unwrap(),
            stream,
        })
    }

    /// Returns the next call on the same connection.
    pub async fn again(self) -> Self {
        within_timeout(Self::read(self.stream)).await.unwrap()
    }

    /// Sends bytes. Ignores errors: the client may have disconnected.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.try_send(bytes).await;
    }

    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Waits until the client closes the connection, and discards what it sends before.
    pub async fn closed(&mut self) {
        let mut rest = [0; 1024];
        let reading =
            async { while self.stream.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
        within_timeout(reading).await;
    }

    /// Closes the connection with a TCP reset.
    pub fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

/// Fails the test if the future does not complete within 60 s.
pub async fn within_timeout<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("completed within the timeout")
}
