//! Certificates are replaced while requests run, and files that cannot be used change nothing.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use test_support::{
    TEST_TIMEOUT,
    certificates::{Authority, IssuedCertificate, replace},
    process::Signal,
};

use crate::tls_server::{TlsServer, exchange};

const STAYS: &str = "the previous certificate stays";
const REPLACED: &str = "the TLS certificate was replaced";

/// Waits until a new connection gets this certificate.
fn wait_for(server: &TlsServer, certificate: &IssuedCertificate) {
    let since = Instant::now();
    while server.served_certificate() != certificate.der {
        assert!(
            since.elapsed() < TEST_TIMEOUT,
            "{}",
            server.process.output()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Replaces certificate and key in this order, as certbot does.
fn install(server: &TlsServer, certificate: &IssuedCertificate) {
    replace(&server.files.cert, &certificate.pem).unwrap();
    replace(&server.files.key, &certificate.key_pem).unwrap();
}

fn occurrences(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

/// Clients that send requests until they are stopped: half of them on one connection, half of them with
/// a new connection for each request.
struct Load {
    stop: Arc<AtomicBool>,
    requests: Arc<AtomicUsize>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    fn start(server: &Arc<TlsServer>) -> Self {
        let (stop, requests) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let threads = (0..4).map(|client| {
            let (server, stop, requests) =
                (Arc::clone(server), Arc::clone(&stop), Arc::clone(&requests));
            std::thread::spawn(move || {
                let mut stream = server.connect();
                while !stop.load(Ordering::Relaxed) {
                    if client % 2 == 0 {
                        stream = server.connect();
                    }
                    assert!(exchange(&mut stream).starts_with("HTTP/1.1 200"));
                    requests.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        Self {
            threads: threads.collect(),
            stop,
            requests,
        }
    }

    /// Stops the clients and returns the number of requests.
    ///
    /// # Panics
    ///
    /// If a request failed.
    fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("no request fails");
        }
        self.requests.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_under_load_fails_no_request() {
    let server = Arc::new(TlsServer::start(&[]).await);
    tokio::task::block_in_place(|| {
        let load = Load::start(&server);
        for round in 0..3 {
            let renewed = server.authority.server();
            install(&server, &renewed);
            wait_for(&server, &renewed);
            let log = server.process.output();
            assert!(!log.contains(STAYS), "round {round}: {log}");
        }
        let requests = load.stop();
        assert!(requests > 20, "{requests} requests");
        println!("{requests} requests during 3 renewals, none failed");
    });
    let log = server.process.output();
    assert_eq!(occurrences(&log, REPLACED), 3, "{log}");
}

/// Kubernetes mounts a secret as links to a folder behind a link that is replaced.
#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_link_is_followed() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = folder.path();
    let version = |name: &str, certificate: &IssuedCertificate| {
        fs::create_dir(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("tls.crt"), &certificate.pem).unwrap();
        fs::write(folder.join(name).join("tls.key"), &certificate.key_pem).unwrap();
    };
    let point_to = |name: &str| {
        symlink(name, folder.join("..data_tmp")).unwrap();
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    };
    let authority = Authority::new();
    let [first, second] = [authority.server(), authority.server()];
    version("..1", &first);
    version("..2", &second);
    point_to("..1");
    for name in ["tls.crt", "tls.key"] {
        symlink(Path::new("..data").join(name), folder.join(name)).unwrap();
    }
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let server = TlsServer::start_with(
        authority,
        first.clone(),
        &[
            ("BEARWARD_SERVER__TLS__CERT_FILE", &path("tls.crt")),
            ("BEARWARD_SERVER__TLS__KEY_FILE", &path("tls.key")),
        ],
    )
    .await;
    tokio::task::block_in_place(|| {
        assert_eq!(server.served_certificate(), first.der);
        point_to("..2");
        wait_for(&server, &second);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_used_are_reported_once_and_change_nothing() {
    let mut server = TlsServer::start(&[]).await;
    let renewed = server.authority.server();
    let expired = server.authority.server_until(time::Duration::hours(-1));
    let half = &renewed.pem[..renewed.pem.len() / 2];
    let mut errors = 0;
    for (name, cert, key) in [
        ("half", half, renewed.key_pem.as_str()),
        ("empty", "", ""),
        ("not PEM", "certificate", renewed.key_pem.as_str()),
        (
            "other key",
            renewed.pem.as_str(),
            server.certificate.key_pem.as_str(),
        ),
        ("no key", renewed.pem.as_str(), renewed.pem.as_str()),
        ("expired", expired.pem.as_str(), expired.key_pem.as_str()),
    ] {
        let (cert, key) = (cert.to_owned(), key.to_owned());
        replace(&server.files.cert, &cert).unwrap();
        replace(&server.files.key, &key).unwrap();
        errors += 1;
        let since = Instant::now();
        while occurrences(&server.process.output(), STAYS) < errors {
            assert!(
                since.elapsed() < TEST_TIMEOUT,
                "{name}: {}",
                server.process.output()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::task::block_in_place(|| {
            assert_eq!(
                server.served_certificate(),
                server.certificate.der,
                "{name}"
            );
        });
    }
    // A missing file.
    fs::remove_file(&server.files.key).unwrap();
    server.process.wait_for_output("No such file").await;
    // The last one is corrected, and the error is not repeated in between.
    install(&server, &renewed);
    server.process.wait_for_output(REPLACED).await;
    tokio::task::block_in_place(|| wait_for(&server, &renewed));
    let log = server.process.output();
    assert_eq!(occurrences(&log, STAYS), errors + 1, "{log}");
    assert_eq!(occurrences(&log, "ERROR"), errors + 1, "{log}");
    assert!(!log.contains(&renewed.key_pem[40..80]), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_reads_the_files_at_once() {
    let mut server = TlsServer::start(&[]).await;
    replace(&server.files.cert, "").unwrap();
    server.process.signal(Signal::HUP);
    server.process.wait_for_output(STAYS).await;
    let renewed = server.authority.server();
    install(&server, &renewed);
    server.process.signal(Signal::HUP);
    server.process.wait_for_output(REPLACED).await;
    tokio::task::block_in_place(|| wait_for(&server, &renewed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_expires_soon_is_reported_at_start() {
    for (days, text) in [
        (13, "the TLS certificate expires soon"),
        (-1, "the TLS certificate has expired"),
    ] {
        let authority = Authority::new();
        let certificate = authority.server_until(time::Duration::days(days));
        let mut server = TlsServer::start_with(authority, certificate, &[]).await;
        server.process.wait_for_output(text).await;
        assert!(server.process.is_running());
    }
    let server = TlsServer::start(&[]).await;
    let log = server.process.output();
    assert!(!log.contains("expire"), "{log}");
}
