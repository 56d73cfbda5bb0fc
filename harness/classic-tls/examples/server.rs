//! A server for other people's TLS clients and test suites: reads what comes, answers with a line, and prints what it
//! saw.
//!
//! ```sh
//! cargo run --example server -- 127.0.0.1:4433 tests/keys/rsa2048
//! ```

use std::sync::Arc;

use classic_tls::{Identity, ServerConfig, accept};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or("127.0.0.1:4433".to_owned());
    let mut identities = Vec::new();
    for name in arguments {
        let chain = vec![std::fs::read(format!("{name}.crt.der"))?];
        let key = std::fs::read(format!("{name}.key.der"))?;
        identities.push(Identity::from_der(chain, &key)?);
    }
    let config = Arc::new(ServerConfig {
        identities,
        ..ServerConfig::default()
    });
    let listener = TcpListener::bind(&address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream, Arc::clone(&config)));
    }
}

/// Answers what comes in one go with a line, until the client has had enough.
async fn serve(stream: TcpStream, config: Arc<ServerConfig>) {
    let mut tls = match accept(stream, config).await {
        Ok(tls) => tls,
        Err(failure) => {
            println!("{failure}; {:?}", failure.report.irregularities);
            return;
        }
    };
    let report = tls.report();
    println!(
        "{:?} {:?} {:?}",
        report.version, report.suite, report.irregularities
    );
    let mut buffer = vec![0; 1 << 14];
    loop {
        match tls.read(&mut buffer).await {
            Ok(0) => break,
            Ok(_) => {
                if let Err(error) = tls.write_all(b"HTTP/1.0 200 OK\r\n\r\n").await {
                    println!("{error}");
                    return;
                }
            }
            Err(error) => {
                println!("{error}");
                return;
            }
        }
    }
    // Whether the client still hears it changes nothing here.
    let _ = tls.shutdown().await;
}
