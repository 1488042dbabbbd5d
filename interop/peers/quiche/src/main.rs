//! A peer for the interop matrix on quiche's public API. It has one version of QUIC, nothing that begins a key update,
//! no preferred address, no ECN, and a TLS library that does not let a client choose its cipher suites.

mod client;
mod http;
mod server;
mod socket;

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Read;

use contract::Job;
use quiche::{Config, Connection, ConnectionId, PROTOCOL_VERSION};

pub type Failure = Box<dyn Error>;

const ID_LENGTH: usize = 16;

fn main() -> Result<(), Failure> {
    let job = Job::from_environment();
    let both = ["handshake", "transfer", "retry", "resumption", "zerortt", "http3", "multiconnect"];
    if job.is_server {
        job.only(&[&both[..], &["chacha20"]].concat());
        server::run(&job)
    } else {
        job.only(&both);
        client::run(&job)
    }
}

fn configuration(job: &Job) -> Result<Config, Failure> {
    let mut config = Config::new(PROTOCOL_VERSION)?;
    config.set_application_protos(&[job.alpn.as_bytes()])?;
    config.set_max_idle_timeout(30_000);
    config.set_max_recv_udp_payload_size(1500);
    config.set_max_send_udp_payload_size(1350);
    config.set_initial_max_data(10 << 20);
    config.set_initial_max_stream_data_bidi_local(1 << 20);
    config.set_initial_max_stream_data_bidi_remote(1 << 20);
    config.set_initial_max_stream_data_uni(1 << 20);
    config.set_initial_max_streams_bidi(100);
    config.set_initial_max_streams_uni(100);
    config.set_active_connection_id_limit(4);
    // The socket cannot send later.
    config.enable_pacing(false);
    config.log_keys();
    if job.testcase == "zerortt" {
        config.enable_early_data();
    }
    Ok(config)
}

/// TLS secrets and qlog go where the environment says.
fn observe(connection: &mut Connection, job: &Job) -> Result<(), Failure> {
    if let Ok(name) = std::env::var("SSLKEYLOGFILE") {
        connection.set_keylog(Box::new(OpenOptions::new().append(true).create(true).open(name)?));
    }
    if let Some(directory) = &job.qlog {
        let name = format!("{}.sqlog", connection.trace_id());
        let file = std::fs::File::create(directory.join(name))?;
        connection.set_qlog(Box::new(file), "quiche".into(), job.testcase.clone());
    }
    Ok(())
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn new_id() -> Result<ConnectionId<'static>, Failure> {
    Ok(ConnectionId::from_vec(random::<ID_LENGTH>()?.to_vec()))
}

/// Ids for the paths to come, as many as the other side takes. Calls `on_new` for each.
fn issue_ids(connection: &mut Connection, mut on_new: impl FnMut(ConnectionId<'static>)) -> Result<(), Failure> {
    while connection.is_established() && connection.scids_left() > 0 {
        let id = new_id()?;
        connection.new_scid(&id, u128::from_be_bytes(random()?), true)?;
        on_new(id);
    }
    Ok(())
}
