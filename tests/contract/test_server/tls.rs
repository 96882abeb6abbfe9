//! TLS in front of the test server, with client certificates.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use test_support::certificates::IssuedCertificate;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::aws_lc_rs::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
};

/// The certificates that clients sent, by the address of the connection behind TLS.
pub(super) type ClientChains = Arc<Mutex<HashMap<SocketAddr, Vec<Vec<u8>>>>>;

/// The configuration of a TLS listener.
pub(crate) struct TlsConfig {
    pub(crate) certificate: IssuedCertificate,
    /// The authority of the clients, in PEM.
    pub(crate) client_ca: Vec<u8>,
    /// Whether the handshake fails without a certificate.
    pub(crate) requires_certificate: bool,
}

/// A TLS listener that forwards to the test server. It stops when it is dropped.
pub(super) struct TlsFront {
    pub(super) address: SocketAddr,
    task: AbortHandle,
}

impl TlsFront {
    pub(super) async fn start(
        config: &TlsConfig,
        upstream: SocketAddr,
        chains: ClientChains,
    ) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(server_config(config)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (acceptor, chains) = (acceptor.clone(), Arc::clone(&chains));
                tokio::spawn(async move {
                    let mut client = acceptor.accept(client).await?;
                    let mut server = TcpStream::connect(upstream).await?;
                    let chain = client.get_ref().1.peer_certificates().unwrap_or_default();
                    let chain = chain.iter().map(|certificate| certificate.to_vec());
                    chains
                        .lock()
                        .unwrap()
                        .insert(server.local_addr()?, chain.collect());
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self {
            address,
            task: task.abort_handle(),
        }
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn server_config(config: &TlsConfig) -> ServerConfig {
    let provider = Arc::new(default_provider());
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&config.client_ca).unwrap())
        .unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = if config.requires_certificate {
        verifier
    } else {
        verifier.allow_unauthenticated()
    };
    let IssuedCertificate { der, key_pem, .. } = &config.certificate;
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![der.clone().into()],
            PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).unwrap(),
        )
        .unwrap()
}
