//! Session tickets of a client: kept as they arrive, the newest used for the next connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use s2n_tls::callbacks::{ConnectionFuture, SessionTicket, SessionTicketCallback};
use s2n_tls::config::ConnectionInitializer;
use s2n_tls::connection::Connection;
use s2n_tls::error::Error;

#[derive(Clone, Default)]
pub struct Tickets(Arc<Mutex<Option<Vec<u8>>>>);

impl SessionTicketCallback for Tickets {
    fn on_session_ticket(&self, _connection: &mut Connection, ticket: &SessionTicket) {
        let mut data = vec![0; ticket.len().unwrap_or(0)];
        if ticket.data(&mut data).is_ok() {
            *self.0.lock().expect("no other panicked") = Some(data);
        }
    }
}

impl ConnectionInitializer for Tickets {
    fn initialize_connection(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<Pin<Box<dyn ConnectionFuture>>>, Error> {
        if let Some(ticket) = self.0.lock().expect("no other panicked").as_ref() {
            connection.set_session_ticket(ticket)?;
        }
        Ok(None)
    }
}
