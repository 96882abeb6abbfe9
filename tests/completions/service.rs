//! A chat service on a free port that answers what a test tells it, byte by byte.

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

/// Hands every call to the test, which answers it when it likes.
pub struct Service {
    pub base_url: String,
    calls: UnboundedReceiver<Call>,
    connections: Arc<AtomicUsize>,
}

/// A request that has arrived whole. Dropping it closes the connection.
pub struct Call {
    /// In lower case.
    pub head: String,
    pub body: Value,
    stream: TcpStream,
}

impl Service {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let connections = Arc::<AtomicUsize>::default();
        let (arrived, calls) = mpsc::unbounded_channel();
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                stream.set_nodelay(true).unwrap();
                let arrived = arrived.clone();
                tokio::spawn(async move {
                    if let Some(call) = Call::read(stream).await {
                        let _ = arrived.send(call);
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

    /// The next call on a new connection.
    pub async fn call(&mut self) -> Call {
        soon(self.calls.recv()).await.unwrap()
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

    /// The next call on the same connection.
    pub async fn again(self) -> Self {
        soon(Self::read(self.stream)).await.unwrap()
    }

    /// A client that has gone in the meantime is no mistake of the test.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.try_send(bytes).await;
    }

    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Ends when the client has closed the connection; what it sent before is passed over.
    pub async fn closed(&mut self) {
        let mut rest = [0; 1024];
        let reading =
            async { while self.stream.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
        soon(reading).await;
    }

    /// Closes with a reset instead of an end.
    pub fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

/// Waits, but not for ever: a test that would hang fails.
pub async fn soon<T>(waiting: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), waiting)
        .await
        .expect("this happens at once")
}
