//! UDP sockets with an event loop: what arrives, and what connections want to send.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use quiche::{Connection, RecvInfo};

use crate::Failure;

pub struct Sockets {
    poll: Poll,
    all: Vec<UdpSocket>,
    /// Sockets with datagrams that were not read yet.
    ready: VecDeque<usize>,
}

impl Sockets {
    pub fn new() -> Result<Sockets, Failure> {
        Ok(Sockets { poll: Poll::new()?, all: Vec::new(), ready: VecDeque::new() })
    }

    /// Returns the address it has.
    pub fn open(&mut self, address: SocketAddr) -> Result<SocketAddr, Failure> {
        let mut socket = UdpSocket::bind(address)?;
        self.poll.registry().register(&mut socket, Token(self.all.len()), Interest::READABLE)?;
        let local = socket.local_addr()?;
        self.all.push(socket);
        Ok(local)
    }

    /// Returns when a datagram is here or the time is over.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<(), Failure> {
        let mut events = Events::with_capacity(64);
        match self.poll.poll(&mut events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => result?,
        }
        self.ready.extend(events.iter().map(|event| event.token().0));
        Ok(())
    }

    /// The next datagram that is here.
    pub fn receive<'a>(&mut self, buffer: &'a mut [u8]) -> Option<(&'a mut [u8], RecvInfo)> {
        while let Some(&first) = self.ready.front() {
            if let Ok((length, from)) = self.all[first].recv_from(buffer) {
                let to = self.all[first].local_addr().ok()?;
                return Some((&mut buffer[..length], RecvInfo { from, to }));
            }
            self.ready.pop_front();
        }
        None
    }

    pub fn send(&self, datagram: &[u8], from: SocketAddr, to: SocketAddr) {
        let by = self.all.iter().find(|socket| socket.local_addr().is_ok_and(|address| address == from));
        // What the system refuses is as good as lost.
        let _ = by.unwrap_or(&self.all[0]).send_to(datagram, to);
    }

    /// Everything a connection has to send.
    pub fn flush(&self, connection: &mut Connection) {
        let mut buffer = [0; 1500];
        while let Ok((length, info)) = connection.send(&mut buffer) {
            self.send(&buffer[..length], info.from, info.to);
        }
    }
}
