//! A peer for the interop matrix on s2n-quic's public API, with its default TLS. It has no HTTP/3 on crates.io, nothing
//! that begins a key update or a migration, and no early data.

mod client;
mod server;
mod tickets;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use contract::Job;
use s2n_quic::provider::limits::Limits;

pub type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let job = Arc::new(Job::from_environment());
    let both = ["handshake", "transfer", "retry", "resumption", "multiconnect", "ecn"];
    if job.is_server {
        job.only(&[&both[..], &["chacha20"]].concat());
        server::run(job).await
    } else {
        job.only(&both);
        client::run(job).await
    }
}

fn limits() -> Result<Limits, Failure> {
    Ok(Limits::new().with_max_handshake_duration(Duration::from_secs(60))?)
}
