use std::sync::Arc;

use contract::{Job, Request};
use s2n_quic::Client;
use s2n_quic::client::Connect;
use s2n_quic::connection::Handle;
use s2n_quic::provider::tls::s2n_tls as tls;
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, copy};
use tokio::task::JoinSet;

use crate::tickets::Tickets;
use crate::{Failure, limits};

pub async fn run(job: Arc<Job>) -> Result<(), Failure> {
    let mut configuration = tls::Client::builder()
        .with_empty_trust_store()?
        .with_certificate(job.certs.join("ca.pem").as_path())?
        .with_max_cert_chain_depth(16)?
        .with_application_protocols([job.alpn.as_bytes()])?
        .with_key_logging()?;
    if job.testcase == "resumption" {
        let tickets = Tickets::default();
        configuration
            .config_mut()
            .enable_session_tickets(true)?
            .set_session_ticket_callback(tickets.clone())?
            .set_connection_initializer(tickets)?;
    }
    let any = if job.requests[0].address()?.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let client = Client::builder().with_tls(configuration.build()?)?.with_io(any)?.with_limits(limits()?)?.start()?;
    for requests in job.connections() {
        fetch(&job, &client, requests).await?;
    }
    Ok(())
}

/// All at once, on a connection of their own.
async fn fetch(job: &Arc<Job>, client: &Client, requests: Vec<Request>) -> Result<(), Failure> {
    let target = Connect::new(requests[0].address()?).with_server_name(requests[0].host.as_str());
    let connection = client.connect(target).await?;
    let mut downloads = JoinSet::new();
    for request in requests {
        downloads.spawn(get(job.clone(), connection.handle(), request));
    }
    while let Some(result) = downloads.join_next().await {
        result??;
    }
    connection.close(0u8.into());
    Ok(())
}

async fn get(job: Arc<Job>, mut connection: Handle, request: Request) -> Result<(), Failure> {
    let (mut receive, mut send) = connection.open_bidirectional_stream().await?.split();
    send.write_all(format!("GET {}\r\n", request.path).as_bytes()).await?;
    send.shutdown().await?;
    let mut file = File::create(job.download(&request)).await?;
    copy(&mut receive, &mut file).await?;
    file.flush().await?;
    Ok(())
}
