//! nginx as a round-robin load balancer.

use std::{fs, process::Command, time::Instant};

use tempfile::TempDir;
use test_support::{TEST_TIMEOUT, ports::free_address, process::TestProcess};

pub(crate) struct Nginx {
    process: TestProcess,
    pub(crate) api: String,
    _directory: TempDir,
}

impl Nginx {
    /// Starts nginx before these servers. Returns `None` if it is not installed.
    pub(crate) async fn start(servers: &[&str]) -> Option<Self> {
        let binary = ["/usr/sbin/nginx", "/usr/bin/nginx"]
            .into_iter()
            .find(|path| fs::exists(path).unwrap_or(false))?;
        let directory = tempfile::tempdir().unwrap();
        let port = free_address().port();
        let file = directory.path().join("nginx.conf");
        fs::write(
            &file,
            configuration(directory.path().to_str().unwrap(), port, servers),
        )
        .unwrap();
        let mut command = Command::new(binary);
        command
            .arg("-p")
            .arg(directory.path())
            .arg("-e")
            .arg("stderr")
            .arg("-c")
            .arg(file);
        let mut nginx = Self {
            process: TestProcess::start(command),
            api: format!("http://127.0.0.1:{port}"),
            _directory: directory,
        };
        let since = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                nginx.process.is_running() && since.elapsed() < TEST_TIMEOUT,
                "nginx:\n{}",
                nginx.process.output()
            );
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        Some(nginx)
    }
}

/// Runs a single process: with a master, workers would drop root and lose access to the directory.
fn configuration(directory: &str, port: u16, servers: &[&str]) -> String {
    let servers: Vec<String> = servers
        .iter()
        .map(|api| format!("server {};", api.trim_start_matches("http://")))
        .collect();
    let servers = servers.concat();
    let temp_paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temp_paths = temp_paths
        .map(|name| format!("{name}_temp_path {directory}/{name};\n"))
        .concat();
    format!(
        "daemon off; master_process off; pid {directory}/pid; error_log stderr;
events {{ worker_connections 512; }}
http {{
  access_log off;
  {temp_paths}
  upstream api {{ {servers} keepalive 32; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://api;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      add_header X-Served-By $upstream_addr always;
    }}
  }}
}}
"
    )
}
