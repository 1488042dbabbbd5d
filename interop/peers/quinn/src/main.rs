//! A peer for the interop matrix on quinn's public API, with h3 for HTTP/3.

mod anybody;
mod client;
mod server;

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::process;
use std::sync::Arc;
use std::time::SystemTime;

use contract::Job;
use quinn::{QlogConfig, TransportConfig};
use rustls::crypto::{CryptoProvider, ring};
use rustls::quic::Suite;

pub type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let job = Arc::new(Job::from_environment());
    job.only(&[
        "handshake",
        "transfer",
        "chacha20",
        "retry",
        "resumption",
        "zerortt",
        "http3",
        "multiconnect",
        "keyupdate",
        "ecn",
        "connectionmigration",
    ]);
    if job.is_server { server::run(job).await } else { client::run(job).await }
}

fn provider(job: &Job) -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    if job.testcase == "chacha20" {
        provider.cipher_suites = vec![ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256];
    }
    Arc::new(provider)
}

/// What protects Initial packets, whatever TLS may negotiate (RFC 9001 5.2).
fn initial() -> Suite {
    let suite = ring::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13().and_then(|suite| suite.quic_suite());
    suite.expect("ring has it")
}

/// One log for all connections of a run: quinn is given its writer with the configuration.
fn transport(job: &Job) -> Result<Arc<TransportConfig>, Failure> {
    let mut transport = TransportConfig::default();
    if job.testcase == "zerortt" {
        // The runner takes packets that look for a larger MTU for data that should have been early.
        transport.mtu_discovery_config(None);
    }
    if let Some(directory) = &job.qlog {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
        let mut qlog = QlogConfig::default();
        let file = File::create(directory.join(format!("{now}-{}.sqlog", process::id())))?;
        qlog.writer(Box::new(BufWriter::new(file)));
        transport.qlog_stream(qlog.into_stream());
    }
    Ok(Arc::new(transport))
}
