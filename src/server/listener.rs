//! Listeners: sockets, connection limits and the HTTP service behind them.

use std::{fmt, io, net::TcpListener, sync::Arc};

use actix_http::{HttpService, KeepAlive, Protocol, Request, Response};
use actix_server::ServerBuilder;
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::{Error, body::MessageBody, dev::AppConfig, rt::net::TcpStream};

use super::{
    connection::{Connection, ConnectionTimeouts},
    connections::Connections,
};

/// Limits that hold for every connection of a listener.
#[derive(Debug, Clone)]
pub(crate) struct ListenerLimits {
    pub(crate) timeouts: ConnectionTimeouts,
    pub(crate) connections: Arc<Connections>,
}

/// Serves an application on a bound socket. Every connection has deadlines and counts towards the
/// connection limit; requests find its `Arc<ConnectionState>` with `HttpRequest::conn_data`.
///
/// # Errors
/// If the socket cannot be registered.
pub(crate) fn listen<F, I, S, B>(
    builder: ServerBuilder,
    name: &str,
    socket: TcpListener,
    limits: ListenerLimits,
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
        let limits = limits.clone();
        let shutdown = shutdown.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let shutdown = shutdown.clone();
                async move { shutdown.notified().await }
            })
            .keep_alive(KeepAlive::Timeout(limits.timeouts.keep_alive))
            .client_request_timeout(limits.timeouts.header)
            .client_disconnect_timeout(std::time::Duration::from_secs(1))
            // A client that hangs up ends its request, and with it a call to the completions
            // service that its owner pays for. Browsers and proxies do not half-close.
            .h1_allow_half_closed(false)
            .local_addr(address)
            .on_connect_ext(|connection: &Connection, extensions: &mut _| {
                extensions.insert(Arc::clone(connection.state()));
            })
            .finish(map_config(
                app()
                    .into_factory()
                    .map_err(|error| error.into().error_response()),
                |()| AppConfig::default(),
            ));
        fn_service(move |io: TcpStream| {
            let limits = limits.clone();
            async move {
                let peer = io.peer_addr().ok();
                // A small response is sent at once. An error means that the client is gone.
                let _ = io.set_nodelay(true);
                let connection = Connection::new(io, limits.timeouts, |address, state| {
                    limits.connections.admit(address, state)
                })?;
                Ok::<_, actix_http::error::DispatchError>((connection, Protocol::Http1, peer))
            }
        })
        .and_then(http)
    })
}
