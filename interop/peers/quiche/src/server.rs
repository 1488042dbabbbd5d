use std::collections::HashMap;
use std::net::SocketAddr;

use contract::Job;
use quiche::{Config, Connection, ConnectionId, Header, PathEvent, RecvInfo, Type};

use crate::http::{Answer, Arrival, Http};
use crate::socket::Sockets;
use crate::{Failure, ID_LENGTH, configuration, issue_ids, new_id, observe};

struct Client {
    connection: Connection,
    http: Option<Http>,
    answers: HashMap<u64, Answer>,
}

struct Server<'a> {
    job: &'a Job,
    config: Config,
    sockets: Sockets,
    clients: Vec<Option<Client>>,
    /// Which of them an id belongs to.
    ids: HashMap<ConnectionId<'static>, usize>,
}

pub fn run(job: &Job) -> Result<(), Failure> {
    let mut config = configuration(job)?;
    let path = |name| job.certs.join(name).to_string_lossy().into_owned();
    config.load_cert_chain_from_pem_file(&path("cert.pem"))?;
    config.load_priv_key_from_pem_file(&path("priv.key"))?;
    let mut sockets = Sockets::new()?;
    sockets.open(job.listen)?;
    let mut server = Server { job, config, sockets, clients: Vec::new(), ids: HashMap::new() };
    loop {
        server.turn()?;
    }
}

impl Server<'_> {
    fn turn(&mut self) -> Result<(), Failure> {
        let timeout = self.clients.iter().flatten().filter_map(|client| client.connection.timeout()).min();
        self.sockets.wait(timeout)?;
        let mut buffer = [0; 1 << 16];
        while let Some((datagram, info)) = self.sockets.receive(&mut buffer) {
            let Ok(header) = Header::from_slice(datagram, ID_LENGTH) else { continue };
            let number = match self.ids.get(&header.dcid) {
                Some(number) => Some(*number),
                None => self.accept(&header, info)?,
            };
            if let Some(client) = number.and_then(|number| self.clients[number].as_mut()) {
                let _ = client.connection.recv(datagram, info);
            }
        }
        for number in 0..self.clients.len() {
            self.serve(number)?;
        }
        Ok(())
    }

    /// The first packet of a client: a connection, or a packet that asks for another one.
    fn accept(&mut self, header: &Header, info: RecvInfo) -> Result<Option<usize>, Failure> {
        let mut out = [0; 1500];
        if header.ty != Type::VersionNegotiation && header.version != 0 && !quiche::version_is_supported(header.version)
        {
            let length = quiche::negotiate_version(&header.scid, &header.dcid, &mut out)?;
            self.sockets.send(&out[..length], info.to, info.from);
            return Ok(None);
        }
        if header.ty != Type::Initial {
            return Ok(None);
        }
        let token = header.token.as_deref().unwrap_or_default();
        let original = original_destination(token, info.from);
        if self.job.testcase == "retry" && original.is_none() {
            let token = [info.from.to_string().as_bytes(), b" ", &header.dcid[..]].concat();
            let id = new_id()?;
            let length = quiche::retry(&header.scid, &header.dcid, &id, &token, header.version, &mut out)?;
            self.sockets.send(&out[..length], info.to, info.from);
            return Ok(None);
        }
        // After a Retry the client speaks to the id that was in it, which the connection keeps.
        let id = if original.is_some() { header.dcid.clone().into_owned() } else { new_id()? };
        let mut connection = quiche::accept(&id, original.as_ref(), info.to, info.from, &mut self.config)?;
        observe(&mut connection, self.job)?;
        let number = self.clients.len();
        self.clients.push(Some(Client { connection, http: None, answers: HashMap::new() }));
        self.ids.insert(header.dcid.clone().into_owned(), number);
        self.ids.insert(id, number);
        Ok(Some(number))
    }

    fn serve(&mut self, number: usize) -> Result<(), Failure> {
        let Some(client) = self.clients[number].as_mut() else { return Ok(()) };
        let connection = &mut client.connection;
        if connection.timeout().is_some_and(|left| left.is_zero()) {
            connection.on_timeout();
        }
        if client.http.is_none() && (connection.is_established() || connection.is_in_early_data()) {
            client.http = Some(Http::new(&self.job.alpn, connection)?);
        }
        if let Some(http) = client.http.as_mut() {
            for (id, arrival) in http.receive(connection) {
                let Arrival::Request(path) = arrival else { continue };
                match self.job.read(&path) {
                    Ok(content) => _ = client.answers.insert(id, Answer::new(content)),
                    Err(_) => http.refuse(connection, id),
                }
            }
            client.answers.retain(|id, answer| !http.answer(connection, *id, answer));
        }
        while let Some(event) = connection.path_event_next() {
            if let PathEvent::New(local, peer) = event {
                let _ = connection.probe_path(local, peer);
            }
        }
        issue_ids(connection, |id| _ = self.ids.insert(id, number))?;
        self.sockets.flush(connection);
        if connection.is_closed() {
            self.clients[number] = None;
            self.ids.retain(|_, of| *of != number);
        }
        Ok(())
    }
}

/// From the token of a Retry. Nobody here would forge one.
fn original_destination(token: &[u8], from: SocketAddr) -> Option<ConnectionId<'static>> {
    let id = token.strip_prefix(from.to_string().as_bytes())?.strip_prefix(b" ")?;
    Some(ConnectionId::from_vec(id.to_vec()))
}
