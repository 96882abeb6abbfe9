//! A load balancer as operators have it: nginx, in turn to each server.

use std::{fs, net::TcpListener, process::Command, time::Instant};

use tempfile::TempDir;

use crate::{GUARD, serving::Process};

pub(crate) struct Nginx {
    process: Process,
    pub(crate) api: String,
    _folder: TempDir,
}

impl Nginx {
    /// None where it is not installed.
    pub(crate) async fn before(servers: &[&str]) -> Option<Self> {
        let binary = ["/usr/sbin/nginx", "/usr/bin/nginx"]
            .into_iter()
            .find(|path| fs::exists(path).unwrap_or(false))?;
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let file = folder.path().join("nginx.conf");
        fs::write(
            &file,
            configuration(folder.path().to_str().unwrap(), port, servers),
        )
        .unwrap();
        let mut command = Command::new(binary);
        command
            .arg("-p")
            .arg(folder.path())
            .arg("-e")
            .arg("stderr")
            .arg("-c")
            .arg(file);
        let mut nginx = Self {
            process: Process::start(command),
            api: format!("http://127.0.0.1:{port}"),
            _folder: folder,
        };
        let since = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                nginx.process.is_running() && since.elapsed() < GUARD,
                "nginx:\n{}",
                nginx.process.output()
            );
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        Some(nginx)
    }
}

/// One process without a master, which would drop root and with it the folder.
fn configuration(folder: &str, port: u16, servers: &[&str]) -> String {
    let servers: Vec<String> = servers
        .iter()
        .map(|api| format!("server {};", api.trim_start_matches("http://")))
        .collect();
    let servers = servers.concat();
    let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders = folders
        .map(|name| format!("{name}_temp_path {folder}/{name};\n"))
        .concat();
    format!(
        "daemon off; master_process off; pid {folder}/pid; error_log stderr;
events {{ worker_connections 512; }}
http {{
  access_log off;
  {folders}
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
