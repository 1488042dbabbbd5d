use std::sync::Arc;
use std::time::SystemTime;

use contract::{Job, requested};
use s2n_quic::provider::endpoint_limits::{ConnectionAttempt, Limiter, Outcome};
use s2n_quic::provider::tls::s2n_tls as tls;
use s2n_quic::stream::BidirectionalStream;
use s2n_quic::{Connection, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{Failure, limits};

/// Asks every client to prove its address, or none.
struct Retries(bool);

impl Limiter for Retries {
    fn on_connection_attempt(&mut self, _attempt: &ConnectionAttempt) -> Outcome {
        if self.0 { Outcome::retry() } else { Outcome::allow() }
    }
}

pub async fn run(job: Arc<Job>) -> Result<(), Failure> {
    let mut configuration = tls::Server::builder()
        .with_certificate(job.certs.join("cert.pem").as_path(), job.certs.join("priv.key").as_path())?
        .with_application_protocols([job.alpn.as_bytes()])?
        .with_key_logging()?;
    if job.testcase == "resumption" {
        configuration.config_mut().enable_session_tickets(true)?.add_session_ticket_key(
            b"interop",
            &[7; 32],
            SystemTime::now(),
        )?;
    }
    let mut server = Server::builder()
        .with_tls(configuration.build()?)?
        .with_io(job.listen)?
        .with_limits(limits()?)?
        .with_endpoint_limits(Retries(job.testcase == "retry"))?
        .start()?;
    while let Some(connection) = server.accept().await {
        tokio::spawn(serve(connection, job.clone()));
    }
    Ok(())
}

async fn serve(mut connection: Connection, job: Arc<Job>) -> Result<(), Failure> {
    while let Some(stream) = connection.accept_bidirectional_stream().await? {
        tokio::spawn(answer(stream, job.clone()));
    }
    Ok(())
}

async fn answer(stream: BidirectionalStream, job: Arc<Job>) -> Result<(), Failure> {
    let (receive, mut send) = stream.split();
    let mut request = Vec::new();
    receive.take(4096).read_to_end(&mut request).await?;
    match requested(&request).and_then(|path| job.read(path).ok()) {
        Some(content) => {
            send.write_all(&content).await?;
            send.shutdown().await?;
        }
        None => send.reset(1u8.into())?,
    }
    Ok(())
}
