use std::sync::Arc;

use bytes::Bytes;
use contract::{Job, requested};
use h3::server::RequestResolver;
use http::{Response, StatusCode};
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, Incoming, RecvStream, SendStream, ServerConfig};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::{Failure, initial, provider, transport};

pub async fn run(job: Arc<Job>) -> Result<(), Failure> {
    let endpoint = Endpoint::server(configuration(&job)?, job.listen)?;
    while let Some(incoming) = endpoint.accept().await {
        if job.testcase == "retry" && !incoming.remote_address_validated() {
            incoming.retry()?;
        } else {
            tokio::spawn(serve(incoming, job.clone()));
        }
    }
    Ok(())
}

fn configuration(job: &Job) -> Result<ServerConfig, Failure> {
    let chain = CertificateDer::pem_file_iter(job.certs.join("cert.pem"))?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(job.certs.join("priv.key"))?;
    let mut tls = rustls::ServerConfig::builder_with_provider(provider(job))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    tls.alpn_protocols = vec![job.alpn.clone().into_bytes()];
    tls.key_log = Arc::new(rustls::KeyLogFile::new());
    tls.max_early_data_size = if job.testcase == "zerortt" { u32::MAX } else { 0 };
    let mut configuration =
        ServerConfig::with_crypto(Arc::new(QuicServerConfig::with_initial(Arc::new(tls), initial())?));
    configuration.transport_config(transport(job)?);
    Ok(configuration)
}

async fn serve(incoming: Incoming, job: Arc<Job>) -> Result<(), Failure> {
    // A server may always speak before the handshake is complete.
    let Ok((connection, _)) = incoming.accept()?.into_0rtt() else { return Ok(()) };
    if job.alpn == "h3" { serve_http3(connection, job).await } else { serve_hq(connection, job).await }
}

async fn serve_hq(connection: Connection, job: Arc<Job>) -> Result<(), Failure> {
    loop {
        let (send, receive) = connection.accept_bi().await?;
        tokio::spawn(answer_hq(send, receive, job.clone()));
    }
}

async fn answer_hq(mut send: SendStream, mut receive: RecvStream, job: Arc<Job>) -> Result<(), Failure> {
    let request = receive.read_to_end(4096).await?;
    match requested(&request).and_then(|path| job.read(path).ok()) {
        Some(content) => {
            send.write_all(&content).await?;
            send.finish()?;
        }
        None => send.reset(1u8.into())?,
    }
    Ok(())
}

async fn serve_http3(connection: Connection, job: Arc<Job>) -> Result<(), Failure> {
    let mut http3 = h3::server::builder().build(h3_quinn::Connection::new(connection)).await?;
    while let Some(resolver) = http3.accept().await? {
        tokio::spawn(answer_http3(resolver, job.clone()));
    }
    Ok(())
}

async fn answer_http3(resolver: RequestResolver<h3_quinn::Connection, Bytes>, job: Arc<Job>) -> Result<(), Failure> {
    let (request, mut stream) = resolver.resolve_request().await?;
    let content = job.read(request.uri().path());
    let status = if content.is_ok() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    stream.send_response(Response::builder().status(status).body(())?).await?;
    stream.send_data(content.unwrap_or_default().into()).await?;
    stream.finish().await?;
    Ok(())
}
