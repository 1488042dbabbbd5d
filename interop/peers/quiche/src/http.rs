//! Files over HTTP/0.9 (hq-interop) and HTTP/3, by the same verbs.

use std::collections::HashMap;

use contract::{Request, requested};
use quiche::h3::{self, Event, Header, NameValue};
use quiche::{Connection, Shutdown};

use crate::Failure;

pub enum Http {
    /// The next stream of a client; what has come of requests.
    Hq {
        next: u64,
        requests: HashMap<u64, Vec<u8>>,
    },
    Http3(Box<h3::Connection>),
}

/// What has come on a stream.
pub enum Arrival {
    Request(String),
    Data(Vec<u8>),
    End,
    Refused,
}

/// What is left of an answer.
pub struct Answer {
    has_headers: bool,
    content: Vec<u8>,
    sent: usize,
}

impl Answer {
    pub fn new(content: Vec<u8>) -> Answer {
        Answer { has_headers: false, content, sent: 0 }
    }
}

impl Http {
    pub fn new(alpn: &str, connection: &mut Connection) -> Result<Http, Failure> {
        if alpn != "h3" {
            return Ok(Http::Hq { next: 0, requests: HashMap::new() });
        }
        let http3 = h3::Connection::with_transport(connection, &h3::Config::new()?)?;
        Ok(Http::Http3(Box::new(http3)))
    }

    /// Sends a request; returns its stream, or nothing while the server does not take more.
    pub fn request(&mut self, connection: &mut Connection, request: &Request) -> Option<u64> {
        match self {
            Http::Hq { next, .. } => {
                if connection.peer_streams_left_bidi() == 0 {
                    return None;
                }
                let line = format!("GET {}\r\n", request.path);
                // A stream has to be there before it says how much it takes; less than a line would be sent as well.
                let _ = connection.stream_send(*next, b"", false);
                if connection.stream_capacity(*next).ok()? < line.len() {
                    return None;
                }
                connection.stream_send(*next, line.as_bytes(), true).ok()?;
                *next += 4;
                Some(*next - 4)
            }
            Http::Http3(http3) => {
                let headers = [
                    Header::new(b":method", b"GET"),
                    Header::new(b":scheme", b"https"),
                    Header::new(b":authority", request.host.as_bytes()),
                    Header::new(b":path", request.path.as_bytes()),
                ];
                http3.send_request(connection, &headers, true).ok()
            }
        }
    }

    /// Everything that has come since.
    pub fn receive(&mut self, connection: &mut Connection) -> Vec<(u64, Arrival)> {
        let mut arrivals = Vec::new();
        match self {
            Http::Hq { requests, .. } => {
                for id in connection.readable() {
                    receive_hq(connection, id, requests, &mut arrivals);
                }
            }
            Http::Http3(http3) => {
                while let Ok((id, event)) = http3.poll(connection) {
                    receive_http3(http3, connection, id, event, &mut arrivals);
                }
            }
        }
        arrivals
    }

    /// Sends as much as can be; true: that was all.
    pub fn answer(&mut self, connection: &mut Connection, id: u64, answer: &mut Answer) -> bool {
        let rest = &answer.content[answer.sent..];
        let sent = match self {
            Http::Hq { .. } => connection.stream_send(id, rest, true).unwrap_or(0),
            Http::Http3(http3) => {
                let headers = [Header::new(b":status", b"200")];
                if !answer.has_headers && http3.send_response(connection, id, &headers, false).is_err() {
                    return false;
                }
                answer.has_headers = true;
                http3.send_body(connection, id, rest, true).unwrap_or(0)
            }
        };
        answer.sent += sent;
        answer.sent == answer.content.len()
    }

    /// There is no such file.
    pub fn refuse(&mut self, connection: &mut Connection, id: u64) {
        let _ = connection.stream_shutdown(id, Shutdown::Write, 1);
    }
}

fn receive_hq(
    connection: &mut Connection,
    id: u64,
    requests: &mut HashMap<u64, Vec<u8>>,
    arrivals: &mut Vec<(u64, Arrival)>,
) {
    let mut buffer = [0; 1 << 16];
    loop {
        match connection.stream_recv(id, &mut buffer) {
            Ok((length, is_last)) if connection.is_server() => {
                let request = requests.entry(id).or_default();
                request.extend_from_slice(&buffer[..length]);
                if is_last {
                    let path = requested(request).map(str::to_owned);
                    arrivals.push((id, path.map_or(Arrival::Refused, Arrival::Request)));
                    requests.remove(&id);
                }
            }
            Ok((length, is_last)) => {
                arrivals.push((id, Arrival::Data(buffer[..length].to_vec())));
                if is_last {
                    arrivals.push((id, Arrival::End));
                }
            }
            Err(quiche::Error::StreamReset(_)) => return arrivals.push((id, Arrival::Refused)),
            Err(_) => return,
        }
    }
}

fn receive_http3(
    http3: &mut h3::Connection,
    connection: &mut Connection,
    id: u64,
    event: Event,
    arrivals: &mut Vec<(u64, Arrival)>,
) {
    match event {
        Event::Headers { list, .. } => {
            let value = |name: &[u8]| list.iter().find(|header| header.name() == name).map(NameValue::value);
            if let Some(path) = value(b":path") {
                arrivals.push((id, Arrival::Request(String::from_utf8_lossy(path).into_owned())));
            } else if value(b":status") != Some(b"200") {
                arrivals.push((id, Arrival::Refused));
            }
        }
        Event::Data => {
            let mut buffer = [0; 1 << 16];
            while let Ok(length) = http3.recv_body(connection, id, &mut buffer) {
                arrivals.push((id, Arrival::Data(buffer[..length].to_vec())));
            }
        }
        Event::Finished => arrivals.push((id, Arrival::End)),
        Event::Reset(_) => arrivals.push((id, Arrival::Refused)),
        _ => {}
    }
}
