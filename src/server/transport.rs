//! What a connection reads from and writes to: TCP, or TLS over TCP.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use actix_web::rt::net::TcpStream;
use bearward::ClientCertificate;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{Accept, TlsAcceptor, server::TlsStream};

use super::connection::{CloseReason, ConnectionState};

/// The transport of a connection. The handshake of TLS runs as part of the first read, so that the
/// deadline of a request head covers it.
pub(super) enum Transport {
    Plain(Socket),
    Handshake(Box<Accept<Socket>>),
    Tls(Box<TlsStream<Socket>>),
    /// The handshake has failed.
    Failed,
}

/// A TCP socket that reports to its connection when bytes were written.
pub(super) struct Socket {
    io: TcpStream,
    state: Arc<ConnectionState>,
}

impl Transport {
    pub(super) fn new(
        io: TcpStream,
        state: &Arc<ConnectionState>,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let socket = Socket {
            io,
            state: Arc::clone(state),
        };
        match tls {
            Some(acceptor) => Self::Handshake(Box::new(acceptor.accept(socket))),
            None => Self::Plain(socket),
        }
    }

    /// Completes the handshake, if there is one.
    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self::Handshake(accept) = self else {
            return Poll::Ready(Ok(()));
        };
        let result = ready!(Pin::new(accept).poll(cx));
        match result {
            Ok(stream) => {
                let (socket, session) = stream.get_ref();
                let certificate = session.peer_certificates().and_then(<[_]>::first);
                if let Some(certificate) =
                    certificate.and_then(|der| ClientCertificate::from_der(der).ok())
                {
                    socket.state.set_client_certificate(certificate);
                }
                *self = Self::Tls(Box::new(stream));
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                // Other errors mean that the client is gone, as after the TCP probe of a balancer.
                if error.kind() == io::ErrorKind::InvalidData {
                    CloseReason::TlsHandshake.record();
                    tracing::debug!("TLS handshake failed: {error}");
                }
                *self = Self::Failed;
                Poll::Ready(Err(error))
            }
        }
    }

    /// Returns the stream once the handshake is complete.
    fn poll_established(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Stream>>> {
        ready!(self.poll_handshake(cx))?;
        Poll::Ready(match self {
            Self::Plain(socket) => Ok(Pin::new(socket)),
            Self::Tls(stream) => Ok(Pin::new(stream)),
            Self::Handshake(_) | Self::Failed => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

/// A stream of either kind.
trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_established(cx))?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_established(cx))?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(*self, Self::Handshake(_)) {
            // Nothing was written, and the first read completes the handshake.
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_established(cx))?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Self::Handshake(accept) => match accept.get_mut() {
                Some(socket) => Pin::new(socket).poll_shutdown(cx),
                None => Poll::Ready(Ok(())),
            },
            Self::Failed => Poll::Ready(Ok(())),
        }
    }
}

impl Socket {
    fn record<E>(&self, result: Poll<Result<usize, E>>) -> Poll<Result<usize, E>> {
        if matches!(result, Poll::Ready(Ok(1..))) {
            self.state.wrote_bytes();
        }
        result
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.record(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.record(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
