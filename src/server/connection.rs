//! One client connection with deadlines.
//!
//! actix-http limits how long a client may take for the head of the first request of a connection
//! only, and has no deadline for a client that does not read its response. [`Connection`] adds
//! both below HTTP:
//!
//! - a connection without a request is closed after `keep_alive`,
//! - a request head must be complete within `header_timeout` after its first byte, the first one after
//!   the connection was opened, which includes the handshake of TLS,
//! - a response must make progress at least every `write_timeout`.
//!
//! It also delays the interim response `100 Continue` until the request body is read: a request that
//! is rejected by its head receives only the final response (RFC 9110 §10.1.1).
//!
//! How long a request body and a handler may take is limited per request (`api::limits`).

use std::{
    io,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::rt::net::TcpStream;
use bearward::ClientCertificate;
use futures_util::task::AtomicWaker;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};
use tokio_rustls::TlsAcceptor;

use super::{connections::Permit, transport::Transport};

/// Deadlines of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionTimeouts {
    /// How long a connection without a request stays open.
    pub keep_alive: Duration,
    /// How long the head of a request may take, from its first byte.
    pub header: Duration,
    /// How long a response may make no progress.
    pub write: Duration,
}

impl ConnectionTimeouts {
    /// Returns the shortest time between an event and the read deadline that it sets.
    fn shortest_read(&self) -> Duration {
        self.keep_alive.min(self.header)
    }
}

/// The interim response to `Expect: 100-continue`, as actix-http writes it.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

const NO_EXPECTATION: u8 = 0;
const CONTINUE_EXPECTED: u8 = 1;
const BODY_IS_READ: u8 = 2;

/// What a connection, its requests and the connection limit share.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    opened: Instant,
    requests_in_flight: AtomicUsize,
    /// Milliseconds since `opened` at which the last request ended.
    idle_since: AtomicU64,
    /// Milliseconds since `opened` at which the current request head began, plus one; 0 if none.
    head_since: AtomicU64,
    evicted: AtomicBool,
    /// Milliseconds since `opened` at which the read timer of the connection ends; 0 if it is not
    /// running.
    read_timer_end: AtomicU64,
    /// The number of times that bytes were written to the socket.
    writes: AtomicU64,
    /// The certificate of the client, once the handshake is complete.
    client_certificate: OnceLock<ClientCertificate>,
    /// Whether the current request waits for [`CONTINUE`]: one of the constants below.
    expectation: AtomicU8,
    waker: AtomicWaker,
}

impl ConnectionState {
    fn new() -> Self {
        Self {
            opened: Instant::now(),
            requests_in_flight: AtomicUsize::new(0),
            idle_since: AtomicU64::new(0),
            head_since: AtomicU64::new(1),
            evicted: AtomicBool::new(false),
            read_timer_end: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            client_certificate: OnceLock::new(),
            expectation: AtomicU8::new(NO_EXPECTATION),
            waker: AtomicWaker::new(),
        }
    }

    /// Marks the start of a request; the request ends when the returned guard is dropped.
    pub(crate) fn begin_request(self: &Arc<Self>) -> RequestInFlight {
        self.requests_in_flight.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        RequestInFlight(Arc::clone(self))
    }

    /// Returns the certificate with which the client authenticated in the handshake of TLS.
    pub(crate) fn client_certificate(&self) -> Option<ClientCertificate> {
        self.client_certificate.get().copied()
    }

    pub(super) fn set_client_certificate(&self, certificate: ClientCertificate) {
        // There is one handshake: TLS 1.3 has no renegotiation, and rustls none in TLS 1.2.
        let _ = self.client_certificate.set(certificate);
    }

    /// Notes that bytes were written to the socket.
    pub(super) fn wrote_bytes(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that a request waits for `100 Continue`, which actix-http writes at once.
    pub(super) fn expect_continue(&self) {
        self.expectation.store(CONTINUE_EXPECTED, Ordering::Relaxed);
    }

    /// Notes that the body of a request is read, so that `100 Continue` is sent.
    pub(crate) fn read_body(&self) {
        let changed = self.expectation.compare_exchange(
            CONTINUE_EXPECTED,
            BODY_IS_READ,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if changed.is_ok() {
            self.waker.wake();
        }
    }

    /// Closes the connection at the next opportunity.
    pub(super) fn evict(&self) {
        self.evicted.store(true, Ordering::Relaxed);
        self.waker.wake();
    }

    /// Returns when the last request ended, or `None` while a request is in flight.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let idle = self.requests_in_flight.load(Ordering::Relaxed) == 0
            && !self.evicted.load(Ordering::Relaxed);
        idle.then(|| self.opened + Duration::from_millis(self.idle_since.load(Ordering::Relaxed)))
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn read_bytes(&self) {
        if self.requests_in_flight.load(Ordering::Relaxed) == 0 {
            let now = self.elapsed_ms() + 1;
            // Only the first byte of a head starts its time.
            let _ = self
                .head_since
                .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Returns when a read has to be complete and why, or `None` while a request is in flight.
    fn read_deadline(&self, timeouts: &ConnectionTimeouts) -> Option<(Instant, CloseReason)> {
        if self.requests_in_flight.load(Ordering::Relaxed) > 0 {
            return None;
        }
        Some(match self.head_since.load(Ordering::Relaxed) {
            0 => {
                let idle_since = Duration::from_millis(self.idle_since.load(Ordering::Relaxed));
                (
                    self.opened + idle_since + timeouts.keep_alive,
                    CloseReason::KeepAlive,
                )
            }
            head_since => {
                let head_since = Duration::from_millis(head_since - 1);
                (
                    self.opened + head_since + timeouts.header,
                    CloseReason::HeaderTimeout,
                )
            }
        })
    }
}

/// A request that has not ended. The response body holds it until it is sent or dropped.
#[derive(Debug)]
pub(crate) struct RequestInFlight(Arc<ConnectionState>);

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        let now = self.0.elapsed_ms();
        self.0.idle_since.store(now, Ordering::Relaxed);
        self.0.requests_in_flight.fetch_sub(1, Ordering::Relaxed);
        // A running timer ends before the next read deadline, see `Connection::check_read`.
        // Otherwise the connection has to start one.
        if now >= self.0.read_timer_end.load(Ordering::Relaxed) {
            self.0.waker.wake();
        }
    }
}

/// Why the server closed a connection; the label `reason` of
/// `bearward_http_connections_closed_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseReason {
    KeepAlive,
    HeaderTimeout,
    WriteTimeout,
    /// Idle, and the connection limit was reached.
    Evicted,
    /// The connection limit was reached and no connection was idle.
    Limit,
    /// The limit of connections per address was reached.
    AddressLimit,
    /// A request head is malformed: 400.
    MalformedHead,
    /// A request head is too large: 431.
    HeadTooLarge,
    /// The handshake of TLS failed.
    TlsHandshake,
}

impl CloseReason {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::KeepAlive => "keep_alive",
            Self::HeaderTimeout => "header_timeout",
            Self::WriteTimeout => "write_timeout",
            Self::Evicted => "evicted",
            Self::Limit => "limit",
            Self::AddressLimit => "address_limit",
            Self::MalformedHead => "malformed_head",
            Self::HeadTooLarge => "head_too_large",
            Self::TlsHandshake => "tls_handshake",
        }
    }

    pub(super) fn record(self) {
        metrics::counter!("bearward_http_connections_closed_total", "reason" => self.name())
            .increment(1);
    }

    fn error(self) -> io::Error {
        self.record();
        io::Error::new(
            io::ErrorKind::TimedOut,
            format!("connection closed: {}", self.name()),
        )
    }
}

/// A connection over TCP or TLS, with deadlines.
pub(crate) struct Connection {
    io: Transport,
    state: Arc<ConnectionState>,
    timeouts: ConnectionTimeouts,
    /// Never ends after the read deadline, and often before it.
    read_timer: Pin<Box<Sleep>>,
    write_timer: Pin<Box<Sleep>>,
    is_write_pending: bool,
    /// `writes` of the state when the write timer was started.
    writes: u64,
    /// The part of [`CONTINUE`] that is still to be written once the body is read.
    held_continue: &'static [u8],
    /// Counts the connection until it is dropped.
    _permit: Permit,
}

impl Connection {
    pub(super) fn new(
        io: TcpStream,
        tls: Option<TlsAcceptor>,
        timeouts: ConnectionTimeouts,
        admit: impl FnOnce(Option<IpAddr>, &Arc<ConnectionState>) -> Result<Permit, CloseReason>,
    ) -> io::Result<Self> {
        let state = Arc::new(ConnectionState::new());
        let address = io.peer_addr().ok().map(|peer| peer.ip());
        let permit = admit(address, &state).map_err(CloseReason::error)?;
        Ok(Self {
            io: Transport::new(io, &state, tls),
            timeouts,
            read_timer: Box::pin(sleep_until(state.opened + timeouts.shortest_read())),
            write_timer: Box::pin(sleep_until(state.opened + timeouts.write)),
            is_write_pending: false,
            writes: 0,
            held_continue: &[],
            state,
            _permit: permit,
        })
    }

    pub(super) fn state(&self) -> &Arc<ConnectionState> {
        &self.state
    }

    /// Fails if the connection was evicted or its read deadline has passed.
    ///
    /// Every request moves the deadline twice. To set the timer each time, the connection would have
    /// to be polled once more at the end of each request. A deadline is at least
    /// [`shortest_read`](ConnectionTimeouts::shortest_read) after the event that sets it, so a timer
    /// that was set before the event does not end after the deadline: it keeps running, and is set
    /// again when it ends.
    fn check_read(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.state.evicted.load(Ordering::Relaxed) {
            return Err(CloseReason::Evicted.error());
        }
        let deadline = self.state.read_deadline(&self.timeouts);
        if let Some((deadline, _)) = deadline
            && deadline < self.read_timer.deadline()
        {
            self.read_timer.as_mut().reset(deadline);
        }
        while self.read_timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let next = now + self.timeouts.shortest_read();
            let next = match deadline {
                Some((deadline, reason)) if deadline <= now => {
                    return Err(reason.error());
                }
                Some((deadline, _)) => deadline.min(next),
                None => next,
            };
            self.read_timer.as_mut().reset(next);
        }
        let end = self.read_timer.deadline() - self.state.opened;
        let end = u64::try_from(end.as_millis()).unwrap_or(u64::MAX);
        self.state.read_timer_end.store(end, Ordering::Relaxed);
        Ok(())
    }

    /// Holds back [`CONTINUE`] at the start of `bytes` while the body is not read. Returns how many
    /// bytes were taken, or `None` if they are to be written.
    fn hold_continue(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.state.expectation.load(Ordering::Relaxed) != CONTINUE_EXPECTED {
            return None;
        }
        if bytes == CONTINUE {
            self.held_continue = CONTINUE;
            return Some(CONTINUE.len());
        }
        // The final response, which makes the interim one unnecessary.
        self.state
            .expectation
            .store(NO_EXPECTATION, Ordering::Relaxed);
        self.held_continue = &[];
        bytes.starts_with(CONTINUE).then_some(CONTINUE.len())
    }

    /// Writes the interim response that was held back, if the body is read now.
    fn poll_held_continue(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held_continue.is_empty()
            && self.state.expectation.load(Ordering::Relaxed) == BODY_IS_READ
        {
            let result = Pin::new(&mut self.io).poll_write(cx, self.held_continue);
            let written = ready!(self.check_write(cx, result))?;
            self.held_continue = &self.held_continue[written..];
        }
        Poll::Ready(Ok(()))
    }

    /// Tracks whether writing makes progress.
    fn check_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.is_write_pending = false;
            return result;
        }
        // TLS has a buffer of its own: a write may be incomplete although bytes were sent.
        let writes = self.state.writes.load(Ordering::Relaxed);
        if !self.is_write_pending || self.writes != writes {
            self.is_write_pending = true;
            self.writes = writes;
            self.write_timer
                .as_mut()
                .reset(Instant::now() + self.timeouts.write);
        }
        ready!(self.write_timer.as_mut().poll(cx));
        Poll::Ready(Err(CloseReason::WriteTimeout.error()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.state.waker.register(cx.waker());
        let filled = buffer.filled().len();
        match Pin::new(&mut self.io).poll_read(cx, buffer) {
            Poll::Ready(result) => {
                if buffer.filled().len() > filled {
                    self.state.read_bytes();
                }
                Poll::Ready(result)
            }
            Poll::Pending => match self.check_read(cx) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(taken) = self.hold_continue(bytes) {
            return Poll::Ready(Ok(taken));
        }
        ready!(self.poll_held_continue(cx))?;
        let result = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.check_write(cx, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_held_continue(cx))?;
        let result = Pin::new(&mut self.io).poll_flush(cx);
        self.check_write(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
