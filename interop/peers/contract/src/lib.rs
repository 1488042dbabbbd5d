//! What the environment tells a peer to do: see ../../environment.mjs.

use std::env;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

pub struct Job {
    pub is_server: bool,
    pub testcase: String,
    pub test: String,
    pub alpn: String,
    /// Where a server listens.
    pub listen: SocketAddr,
    pub requests: Vec<Request>,
    pub www: PathBuf,
    pub downloads: PathBuf,
    pub certs: PathBuf,
    pub qlog: Option<PathBuf>,
}

#[derive(Clone)]
pub struct Request {
    pub url: String,
    pub host: String,
    pub port: u16,
    /// With its slash.
    pub path: String,
}

impl Job {
    pub fn from_environment() -> Job {
        let text = |name| env::var(name).unwrap_or_default();
        let host: IpAddr = text("HOST").parse().unwrap_or(IpAddr::from([0u16; 8]));
        Job {
            is_server: text("ROLE") == "server",
            testcase: text("TESTCASE"),
            test: text("TEST"),
            alpn: text("ALPN"),
            listen: SocketAddr::new(host, text("PORT").parse().unwrap_or(443)),
            requests: text("REQUESTS").split_whitespace().filter_map(Request::parse).collect(),
            www: text("WWW").into(),
            downloads: text("DOWNLOADS").into(),
            certs: text("CERTS").into(),
            qlog: Some(PathBuf::from(text("QLOGDIR"))).filter(|path| path.is_dir()),
        }
    }

    /// The file to serve for the path of a request.
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let name = Path::new(path).file_name().ok_or(io::ErrorKind::InvalidInput)?;
        std::fs::read(self.www.join(name))
    }

    /// Where the answer goes.
    pub fn download(&self, request: &Request) -> PathBuf {
        self.downloads.join(request.path.rsplit('/').next().unwrap_or_default())
    }

    /// Which requests go on which connection, one after the other.
    pub fn connections(&self) -> Vec<Vec<Request>> {
        match self.testcase.as_str() {
            "multiconnect" => self.requests.iter().map(|request| vec![request.clone()]).collect(),
            "resumption" | "zerortt" => {
                let (first, others) = self.requests.split_at(1);
                vec![first.to_vec(), others.to_vec()]
            }
            _ => vec![self.requests.clone()],
        }
    }

    /// Ends the program as the quic-interop-runner wants it for what is not supported.
    pub fn only(&self, testcases: &[&str]) {
        if !testcases.contains(&self.testcase.as_str()) {
            std::process::exit(127);
        }
    }
}

impl Request {
    fn parse(url: &str) -> Option<Request> {
        let rest = url.strip_prefix("https://")?;
        let (authority, path) = rest.split_at(rest.find('/')?);
        let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
        Some(Request { url: url.into(), host: host.into(), port: port.parse().ok()?, path: path.into() })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        (self.host.as_str(), self.port).to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound.into())
    }
}

/// The path in an HTTP/0.9 request.
pub fn requested(request: &[u8]) -> Option<&str> {
    std::str::from_utf8(request).ok()?.strip_prefix("GET ").map(str::trim_end)
}
