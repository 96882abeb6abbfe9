//! A completions service whose responses a test writes byte by byte.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, UnboundedReceiver},
};

use crate::within_timeout;

/// A service on a free port that passes every request to the test.
pub struct CompletionsService {
    /// Base URL, as in `generate.base_url`.
    pub base_url: String,
    calls: UnboundedReceiver<Call>,
    connections: Arc<AtomicUsize>,
}

/// A complete request that waits for its response. Dropping it closes the connection.
pub struct Call {
    /// Request line and header fields in lower case.
    pub head: String,
    /// The request body.
    pub body: Value,
    stream: TcpStream,
}

impl CompletionsService {
    /// Starts the service on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let connections = Arc::<AtomicUsize>::default();
        let (sender, calls) = mpsc::unbounded_channel();
        let accepted = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                accepted.fetch_add(1, Ordering::SeqCst);
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

    /// Waits for the next request on a new connection.
    pub async fn call(&mut self) -> Call {
        within_timeout(self.calls.recv()).await.unwrap()
    }

    /// Returns the number of connections accepted so far.
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

    /// Waits for the next request on the same connection.
    pub async fn next_call(self) -> Self {
        within_timeout(Self::read(self.stream)).await.unwrap()
    }

    /// Writes a part of the response. Ignores that the client may have disconnected.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.try_send(bytes).await;
    }

    /// Writes a part of the response.
    ///
    /// # Errors
    ///
    /// If the client has disconnected.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Waits until the client closes the connection. Discards what it sends until then.
    pub async fn closed(&mut self) {
        let mut buffer = [0; 1024];
        within_timeout(async {
            while self
                .stream
                .read(&mut buffer)
                .await
                .is_ok_and(|length| length > 0)
            {}
        })
        .await;
    }

    /// Closes the connection with a TCP reset.
    pub fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}
