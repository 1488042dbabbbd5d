use std::future::poll_fn;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::{Job, Request};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::anybody::Anybody;
use crate::{Failure, initial, provider, transport};

type Http3 = h3::client::SendRequest<h3_quinn::OpenStreams, Bytes>;

pub async fn run(job: Arc<Job>) -> Result<(), Failure> {
    let configuration = configuration(&job)?;
    for requests in job.connections() {
        fetch(&job, &configuration, requests).await?;
    }
    Ok(())
}

/// Tickets are kept with it, for the next connection.
fn configuration(job: &Job) -> Result<ClientConfig, Failure> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(job.certs.join("ca.pem"))?)?;
    let mut tls = rustls::ClientConfig::builder_with_provider(provider(job))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![job.alpn.clone().into_bytes()];
    tls.key_log = Arc::new(rustls::KeyLogFile::new());
    if job.test == "amplificationlimit" {
        tls.dangerous().set_certificate_verifier(Arc::new(Anybody(provider(job))));
    }
    tls.enable_early_data = job.testcase == "zerortt";
    if job.testcase == "multiconnect" {
        tls.resumption = rustls::client::Resumption::disabled();
    }
    let mut configuration = ClientConfig::new(Arc::new(QuicClientConfig::with_initial(Arc::new(tls), initial())?));
    configuration.transport_config(transport(job)?);
    Ok(configuration)
}

/// All at once, on a connection of their own.
async fn fetch(job: &Arc<Job>, configuration: &ClientConfig, requests: Vec<Request>) -> Result<(), Failure> {
    let address = requests[0].address()?;
    let endpoint = Endpoint::client(any(address))?;
    let connecting = endpoint.connect_with(configuration.clone(), address, &requests[0].host)?;
    let connection = match connecting.into_0rtt() {
        Ok((connection, _accepted)) => connection,
        Err(connecting) => connecting.await?,
    };
    let mut downloads = JoinSet::new();
    if job.alpn == "h3" {
        let (mut driver, http3) = h3::client::new(h3_quinn::Connection::new(connection.clone())).await?;
        tokio::spawn(async move { poll_fn(|context| driver.poll_close(context)).await });
        for request in requests {
            downloads.spawn(get_http3(job.clone(), http3.clone(), request));
        }
    } else {
        for request in requests {
            downloads.spawn(get_hq(job.clone(), connection.clone(), request));
        }
    }
    if job.test == "connectionmigration" {
        tokio::time::sleep(Duration::from_millis(500)).await;
        endpoint.rebind(UdpSocket::bind(any(address))?)?;
    }
    while let Some(result) = downloads.join_next().await {
        result??;
    }
    connection.close(0u8.into(), b"");
    endpoint.wait_idle().await;
    Ok(())
}

/// Any port of this machine that reaches an address.
fn any(address: SocketAddr) -> SocketAddr {
    let text = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    text.parse().expect("an address")
}

async fn get_hq(job: Arc<Job>, connection: Connection, request: Request) -> Result<(), Failure> {
    let (mut send, mut receive) = connection.open_bi().await?;
    send.write_all(format!("GET {}\r\n", request.path).as_bytes()).await?;
    send.finish()?;
    let mut file = File::create(job.download(&request)).await?;
    let mut is_first = true;
    while let Some(chunk) = receive.read_chunk(1 << 16, true).await? {
        file.write_all(&chunk.bytes).await?;
        if is_first && job.testcase == "keyupdate" {
            connection.force_key_update();
        }
        is_first = false;
    }
    file.flush().await?;
    Ok(())
}

async fn get_http3(job: Arc<Job>, mut http3: Http3, request: Request) -> Result<(), Failure> {
    let mut stream = http3.send_request(http::Request::get(&request.url).body(())?).await?;
    stream.finish().await?;
    let response = stream.recv_response().await?;
    if !response.status().is_success() {
        return Err(format!("{}: {}", request.url, response.status()).into());
    }
    let mut file = File::create(job.download(&request)).await?;
    while let Some(mut chunk) = stream.recv_data().await? {
        file.write_all_buf(&mut chunk).await?;
    }
    file.flush().await?;
    Ok(())
}
