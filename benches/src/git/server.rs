//! The two servers: `sealstack`, and nginx with fcgiwrap in front of `git http-backend`.

use std::future::Future;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::client::{Credentials, call_codecommit, call_iam, element};
use crate::command::peak_kilobytes;
use crate::load::Connection;
use crate::process::{Process, cpu_of};

/// A server that Git clients speak to.
pub(crate) trait Server {
    /// Makes an empty repository; its URL, with credentials where the server wants any.
    fn create<'a>(&'a self, name: &'a str, format: &'a str) -> Pin<Box<dyn Future<Output = io::Result<String>> + 'a>>;
    /// Makes a branch the one that a clone checks out.
    fn set_head<'a>(&'a self, url: &'a str, branch: &'a str) -> Pin<Box<dyn Future<Output = io::Result<()>> + 'a>>;
    /// Does what the server's operator would do from time to time: repacks.
    fn maintain(&self, url: &str) -> io::Result<()>;
    /// The processor time that the server has spent so far.
    fn cpu(&self) -> io::Result<Duration>;
}

/// A `sealstack serve` and the Git credentials of its administrator.
pub(crate) struct Ours {
    process: Process,
    data: PathBuf,
    user: String,
}

impl Ours {
    pub(crate) async fn start(data: &Path) -> io::Result<Self> {
        let process = Process::sealstack(&crate::binary()?, data, &[])?;
        let administrator = credentials(data)?;
        let mut connection = Connection::open(process.address).await?;
        let form = "Action=CreateServiceSpecificCredential&UserName=administrator&ServiceName=codecommit.amazonaws.com";
        let xml = call_iam(&mut connection, &administrator, process.address, form).await?;
        let text = |name| element(&xml, name).unwrap_or_default();
        let password = text("ServicePassword").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let user = format!("{}:{password}", text("ServiceUserName"));
        Ok(Self { process, data: data.to_owned(), user })
    }

    /// The most memory that the server held so far.
    pub(crate) fn peak_kilobytes(&self) -> Option<u64> {
        peak_kilobytes(self.process.id())
    }
}

/// The repository's name in its URL.
fn name_in(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

fn credentials(data: &Path) -> io::Result<Credentials> {
    Credentials::read(&data.join("aws/credentials")).ok_or_else(|| io::Error::other("no credentials"))
}

impl Server for Ours {
    fn create<'a>(&'a self, name: &'a str, _format: &'a str) -> Pin<Box<dyn Future<Output = io::Result<String>> + 'a>> {
        // A repository takes the format of its first push.
        Box::pin(async move {
            let address = self.process.address;
            let mut connection = Connection::open(address).await?;
            let input = json!({"repositoryName": name});
            call_codecommit(&mut connection, &credentials(&self.data)?, address, "CreateRepository", &input).await?;
            Ok(format!("https://{}@{address}/v1/repos/{name}", self.user))
        })
    }

    fn set_head<'a>(&'a self, url: &'a str, branch: &'a str) -> Pin<Box<dyn Future<Output = io::Result<()>> + 'a>> {
        Box::pin(async move {
            let address = self.process.address;
            let mut connection = Connection::open(address).await?;
            let input = json!({"repositoryName": name_in(url), "defaultBranchName": branch});
            let credentials = credentials(&self.data)?;
            call_codecommit(&mut connection, &credentials, address, "UpdateDefaultBranch", &input).await.map(drop)
        })
    }

    fn maintain(&self, url: &str) -> io::Result<()> {
        let name = name_in(url);
        let mut command = Command::new(crate::binary()?);
        command.args(["git", "maintain", name, "--data"]).arg(&self.data);
        crate::command::run(command).map(drop)
    }

    fn cpu(&self) -> io::Result<Duration> {
        self.process.cpu().ok_or_else(|| io::Error::other("sealstack has ended"))
    }
}

/// nginx, fcgiwrap and `git http-backend`, all of them stock.
pub(crate) struct Stock {
    directory: PathBuf,
    port: u16,
    nginx: Child,
    fcgiwrap: Child,
}

impl Stock {
    pub(crate) fn start(directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory.join("repositories"))?;
        let at = |name: &str| directory.join(name).display().to_string();
        let mut certificate = Command::new("openssl");
        certificate.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        certificate.args(["-subj", "/CN=127.0.0.1", "-days", "2", "-keyout", &at("key.pem"), "-out", &at("cert.pem")]);
        crate::command::run_quietly(certificate)?;
        // The times of each call, children included, which fcgiwrap does not add up.
        let script = format!("#!/bin/bash\ngit http-backend\ntimes >> {}\n", at("times"));
        std::fs::write(directory.join("backend"), script)?;
        std::fs::write(directory.join("times"), "")?;
        crate::command::run_quietly({
            let mut command = Command::new("chmod");
            command.args(["755", &at("backend")]);
            command
        })?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        std::fs::write(directory.join("nginx.conf"), configuration(&at, port))?;
        let fcgiwrap = Command::new("fcgiwrap")
            .args(["-c", "8", "-s", &format!("unix:{}", at("socket"))])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let nginx =
            Command::new("nginx").args(["-c", &at("nginx.conf")]).stderr(Stdio::null()).process_group(0).spawn()?;
        let stock = Self { directory: directory.to_owned(), port, nginx, fcgiwrap };
        for _ in 0..500 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(stock);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(io::Error::other("nginx did not start"))
    }

    fn repository(&self, name: &str) -> PathBuf {
        self.directory.join("repositories").join(name)
    }
}

fn configuration(at: &dyn Fn(&str) -> String, port: u16) -> String {
    let [cert, key, socket, backend, root, pid, log] =
        ["cert.pem", "key.pem", "socket", "backend", "repositories", "nginx.pid", "error.log"].map(at);
    format!(
        "daemon off; master_process off; pid {pid}; error_log {log};
events {{ worker_connections 256; }}
http {{
  access_log off; client_max_body_size 0; client_body_temp_path {root}; fastcgi_temp_path {root};
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {cert}; ssl_certificate_key {key}; ssl_session_cache shared:s:1m;
    location / {{
      fastcgi_pass unix:{socket}; fastcgi_buffering off; fastcgi_request_buffering off; fastcgi_read_timeout 600;
      fastcgi_param SCRIPT_FILENAME {backend}; fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param GIT_PROJECT_ROOT {root}; fastcgi_param PATH_INFO $uri; fastcgi_param REMOTE_USER bench;
      fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_ADDR $remote_addr; fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding; fastcgi_param HOME {root};
    }}
  }}
}}
"
    )
}

impl Server for Stock {
    fn create<'a>(&'a self, name: &'a str, format: &'a str) -> Pin<Box<dyn Future<Output = io::Result<String>> + 'a>> {
        Box::pin(async move {
            let path = self.repository(name);
            let mut init = Command::new("git");
            init.args(["init", "-q", "--bare", &format!("--object-format={format}")]).arg(&path);
            crate::command::run_quietly(init)?;
            for (key, value) in [("http.receivepack", "true"), ("uploadpack.allowFilter", "true"), ("gc.auto", "0")] {
                let mut config = Command::new("git");
                config.arg("-C").arg(&path).args(["config", key, value]);
                crate::command::run_quietly(config)?;
            }
            Ok(format!("https://127.0.0.1:{}/{name}", self.port))
        })
    }

    fn set_head<'a>(&'a self, url: &'a str, branch: &'a str) -> Pin<Box<dyn Future<Output = io::Result<()>> + 'a>> {
        Box::pin(async move {
            let mut head = Command::new("git");
            head.arg("-C").arg(self.repository(name_in(url)));
            head.args(["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")]);
            crate::command::run_quietly(head)
        })
    }

    fn maintain(&self, url: &str) -> io::Result<()> {
        let mut repack = Command::new("git");
        repack.arg("-C").arg(self.repository(name_in(url)));
        repack.args(["repack", "-q", "-a", "-d", "-b"]);
        crate::command::run_quietly(repack)
    }

    fn cpu(&self) -> io::Result<Duration> {
        // Two lines a call: the shell's own times, then its children's; each user and system, as 0m0.012s.
        let seconds = |text: &str| {
            let (minutes, seconds) = text.trim_end_matches('s').split_once('m')?;
            Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
        };
        let text = std::fs::read_to_string(self.directory.join("times"))?;
        let backend: f64 = text.split_whitespace().filter_map(seconds).sum();
        let nginx = cpu_of(self.nginx.id()).ok_or_else(|| io::Error::other("nginx has ended"))?;
        Ok(nginx + Duration::from_secs_f64(backend))
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        for child in [&mut self.nginx, &mut self.fcgiwrap] {
            // It may have ended by itself; there is nobody to report that to. Their workers are in their process groups.
            let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status();
            let _ = child.wait();
        }
    }
}
