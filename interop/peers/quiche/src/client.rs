use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use contract::{Job, Request};
use quiche::{Config, Connection, PathEvent};

use crate::http::{Arrival, Http};
use crate::socket::Sockets;
use crate::{Failure, configuration, issue_ids, new_id, observe};

/// When to move to another socket (RFC 9000 §9).
const MIGRATE_AFTER: Duration = Duration::from_millis(500);

struct Download<'a> {
    job: &'a Job,
    connection: Connection,
    http: Option<Http>,
    sockets: Sockets,
    /// Not yet sent, the last one first.
    requests: Vec<Request>,
    files: HashMap<u64, File>,
    migrate_at: Option<Instant>,
}

pub fn run(job: &Job) -> Result<(), Failure> {
    let mut config = configuration(job)?;
    config.load_verify_locations_from_file(&job.certs.join("ca.pem").to_string_lossy())?;
    config.verify_peer(true);
    let mut session = None;
    for requests in job.connections() {
        let mut download = Download::begin(job, &mut config, requests, session.as_deref())?;
        // What may be sent early does not wait for an answer.
        download.work()?;
        while !download.is_done() {
            download.exchange()?;
            download.work()?;
        }
        session = if job.testcase == "multiconnect" { None } else { download.connection.session().map(<[u8]>::to_vec) };
        download.end()?;
    }
    Ok(())
}

impl Download<'_> {
    fn begin<'a>(
        job: &'a Job,
        config: &mut Config,
        mut requests: Vec<Request>,
        session: Option<&[u8]>,
    ) -> Result<Download<'a>, Failure> {
        let host = requests[0].host.clone();
        let server = requests[0].address()?;
        let mut sockets = Sockets::new()?;
        let local = sockets.open(any(server))?;
        let mut connection = quiche::connect(Some(&host), &new_id()?, local, server, config)?;
        observe(&mut connection, job)?;
        if let Some(session) = session {
            connection.set_session(session)?;
        }
        sockets.flush(&mut connection);
        requests.reverse();
        let migrate_at = (job.test == "connectionmigration").then(|| Instant::now() + MIGRATE_AFTER);
        Ok(Download { job, connection, http: None, sockets, requests, files: HashMap::new(), migrate_at })
    }

    fn is_done(&self) -> bool {
        let needs_ticket = matches!(self.job.testcase.as_str(), "resumption" | "zerortt");
        let has_files = self.requests.is_empty() && self.files.is_empty();
        has_files && (!needs_ticket || self.connection.session().is_some())
    }

    fn work(&mut self) -> Result<(), Failure> {
        let connection = &mut self.connection;
        if self.http.is_none() && (connection.is_established() || connection.is_in_early_data()) {
            self.http = Some(Http::new(&self.job.alpn, connection)?);
        }
        if let Some(http) = self.http.as_mut() {
            while let Some(request) = self.requests.last() {
                let Some(id) = http.request(connection, request) else { break };
                self.files.insert(id, File::create(self.job.download(request))?);
                self.requests.pop();
            }
            for (id, arrival) in http.receive(connection) {
                match (arrival, self.files.get_mut(&id)) {
                    (Arrival::Data(data), Some(file)) => file.write_all(&data)?,
                    (Arrival::End, _) => _ = self.files.remove(&id),
                    (Arrival::Refused, _) => return Err(format!("stream {id} was refused").into()),
                    _ => {}
                }
            }
        }
        issue_ids(&mut self.connection, |_| {})?;
        self.migrate()
    }

    fn migrate(&mut self) -> Result<(), Failure> {
        let is_due = self.migrate_at.is_some_and(|at| at <= Instant::now()) && self.connection.available_dcids() > 0;
        let server = self.connection.path_stats().find(|path| path.active).map(|path| path.peer_addr);
        if let Some(server) = server.filter(|_| is_due) {
            self.migrate_at = None;
            let local = self.sockets.open(any(server))?;
            self.connection.probe_path(local, server)?;
        }
        while let Some(event) = self.connection.path_event_next() {
            if let PathEvent::Validated(local, peer) = event {
                self.connection.migrate(local, peer)?;
            }
        }
        Ok(())
    }

    fn exchange(&mut self) -> Result<(), Failure> {
        self.sockets.flush(&mut self.connection);
        let until_move = self.migrate_at.map(|at| at.saturating_duration_since(Instant::now()));
        self.sockets.wait(self.connection.timeout().into_iter().chain(until_move).min())?;
        let mut buffer = [0; 1 << 16];
        while let Some((datagram, info)) = self.sockets.receive(&mut buffer) {
            let _ = self.connection.recv(datagram, info);
        }
        if self.connection.timeout().is_some_and(|left| left.is_zero()) {
            self.connection.on_timeout();
        }
        if self.connection.is_closed() {
            return Err(format!("closed: {:?}", self.connection.peer_error()).into());
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), Failure> {
        self.connection.close(true, 0, b"")?;
        self.sockets.flush(&mut self.connection);
        Ok(())
    }
}

/// Any port of this machine that reaches an address.
fn any(address: SocketAddr) -> SocketAddr {
    let text = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    text.parse().expect("an address")
}
