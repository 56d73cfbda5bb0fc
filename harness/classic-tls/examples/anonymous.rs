//! Speaks to an SMTP server that needs no certificate: `cargo run --example anonymous -- mail.example.test:25`

use std::sync::Arc;

use classic_tls::{ClientConfig, connect};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args()
        .nth(1)
        .ok_or("usage: anonymous HOST:PORT")?;
    let mut smtp = BufReader::new(TcpStream::connect(address).await?);
    for command in ["", "EHLO client.example.test\r\n", "STARTTLS\r\n"] {
        smtp.write_all(command.as_bytes()).await?;
        let mut line = String::new();
        while line.as_bytes().get(3) != Some(&b' ') {
            line.clear();
            let 1.. = smtp.read_line(&mut line).await? else {
                return Err("the server hung up".into());
            };
        }
    }
    let mut tls = BufReader::new(connect(smtp, Arc::new(ClientConfig::anonymous())).await?);
    let report = tls.get_ref().report();
    println!(
        "{:?} {:?}: {:?} {:?}",
        report.version,
        report.suite,
        report.group(),
        report.dh_group_name()
    );
    tls.write_all(b"EHLO client.example.test\r\n").await?;
    let mut line = String::new();
    tls.read_line(&mut line).await?;
    print!("{line}");
    Ok(tls.shutdown().await?)
}
