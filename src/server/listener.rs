//! Listeners: sockets, connection limits and the HTTP service behind them.

use std::{
    fmt, io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_http::{
    HttpService, KeepAlive, Protocol, Request, Response,
    error::{DispatchError, ParseError},
};
use actix_server::ServerBuilder;
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::{Error, body::MessageBody, dev::AppConfig, http::StatusCode, rt::net::TcpStream};

use super::{
    StartError,
    connection::{CloseReason, Connection, ConnectionState, ConnectionTimeouts},
    connections::Connections,
    descriptors,
    shutdown::ShutdownTimes,
    tls::Tls,
};
use crate::{settings, telemetry};

/// Limits that hold for every connection of a listener.
#[derive(Debug, Clone)]
pub(crate) struct ListenerLimits {
    pub(crate) timeouts: ConnectionTimeouts,
    pub(crate) connections: Arc<Connections>,
}

impl ListenerLimits {
    /// Returns the limits of `[server]`, which all listeners share.
    pub(super) fn new(settings: &settings::Server) -> Self {
        let max = match settings.max_connections {
            0 => descriptors::max_connections(),
            max => {
                descriptors::raise_limit();
                max
            }
        };
        let max_per_address = settings.max_connections_per_address;
        Self {
            timeouts: ConnectionTimeouts {
                keep_alive: settings.keep_alive,
                header: settings.header_timeout,
                write: settings.write_timeout,
            },
            connections: Connections::new(max, (max_per_address > 0).then_some(max_per_address)),
        }
    }
}

/// Binds an address and returns the socket with its actual address.
pub(super) fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let bind = || {
        let socket = TcpListener::bind(address)?;
        let address = socket.local_addr()?;
        Ok((socket, address))
    };
    bind().map_err(|source| StartError::Bind { address, source })
}

/// Creates a builder with the settings that all listeners share.
pub(super) fn server_builder(settings: &settings::Server, workers: usize) -> ServerBuilder {
    ServerBuilder::default()
        .workers(workers)
        // `Connections` limits them: this limit would stop accepting instead.
        .max_concurrent_connections(usize::MAX)
        .disable_signals()
        .shutdown_timeout(ShutdownTimes::new(settings).close_after_seconds())
}

/// Serves an application on a bound socket, over TLS if there is a certificate. Every connection has deadlines and counts towards the
/// connection limit; requests find its `Arc<ConnectionState>` with `HttpRequest::conn_data`.
///
/// # Errors
/// If the socket cannot be registered.
pub(crate) fn listen<F, I, S, B>(
    builder: ServerBuilder,
    name: &str,
    socket: TcpListener,
    limits: ListenerLimits,
    tls: Option<Arc<Tls>>,
    app: F,
) -> io::Result<ServerBuilder>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let address = socket.local_addr()?;
    let shutdown = builder.graceful_shutdown_signal();
    builder.listen(name, socket, move || {
        let (limits, tls) = (limits.clone(), tls.clone());
        let shutdown = shutdown.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let shutdown = shutdown.clone();
                async move { shutdown.notified().await }
            })
            .keep_alive(KeepAlive::Timeout(limits.timeouts.keep_alive))
            // `Connection` limits every head; this timer would limit the first one only.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(Duration::from_secs(1))
            // A client that hangs up ends its request, and with it a call to the completions
            // service that its owner pays for. Browsers and proxies do not half-close.
            .h1_allow_half_closed(false)
            .local_addr(address)
            .on_connect_ext(|connection: &Connection, extensions: &mut _| {
                extensions.insert(Arc::clone(connection.state()));
            })
            .expect(fn_service(async |request: Request| {
                if let Some(state) = request.conn_data::<Arc<ConnectionState>>() {
                    state.expect_continue();
                }
                Ok::<_, Error>(request)
            }))
            .finish(map_config(
                app()
                    .into_factory()
                    .map_err(|error| error.into().error_response()),
                |()| AppConfig::default(),
            ));
        fn_service(move |io: TcpStream| {
            let limits = limits.clone();
            let acceptor = tls.as_deref().map(Tls::acceptor);
            async move {
                let peer = io.peer_addr().ok();
                // A small response is sent at once. An error means that the client is gone.
                let _ = io.set_nodelay(true);
                let connection =
                    Connection::new(io, acceptor, limits.timeouts, |address, state| {
                        limits.connections.admit(address, state)
                    })?;
                Ok::<_, DispatchError>((connection, Protocol::Http1, peer))
            }
        })
        .and_then(http.map_err(record_refusal))
    })
}

/// Logs and counts a request that never reached the application, because its head is malformed or too
/// large.
fn record_refusal(error: DispatchError) -> DispatchError {
    let refusal = match &error {
        DispatchError::Parse(ParseError::TooLarge) => Some((
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            CloseReason::HeadTooLarge,
        )),
        // The connection was lost, or the framing of a body is wrong, which its request reports.
        DispatchError::Parse(ParseError::Io(_)) => None,
        DispatchError::Parse(_) => Some((StatusCode::BAD_REQUEST, CloseReason::MalformedHead)),
        _ => None,
    };
    if let Some((status, reason)) = refusal {
        reason.record();
        telemetry::record_unparsed_request(status.as_u16(), reason.name());
    }
    error
}
