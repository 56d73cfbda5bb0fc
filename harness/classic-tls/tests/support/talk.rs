//! A line each way with `s_server` and `s_client`.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use classic_tls::{ClientConfig, Report, ServerConfig, accept, connect};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::openssl::OpenSsl;

const DEADLINE: Duration = Duration::from_secs(60);

/// Connects to an `s_server -rev`, sends a line and expects it back reversed.
pub async fn talk_as_client(port: u16, config: ClientConfig) -> Result<Report, String> {
    let talk = async {
        let tcp = TcpStream::connect(("127.0.0.1", port))
            .await
            .map_err(|error| error.to_string())?;
        let stream = connect(tcp, Arc::new(config))
            .await
            .map_err(|failure| failure.to_string())?;
        let mut stream = BufReader::new(stream);
        stream
            .write_all(b"Postfix\n")
            .await
            .map_err(|error| error.to_string())?;
        let mut line = String::new();
        stream
            .read_line(&mut line)
            .await
            .map_err(|error| error.to_string())?;
        if line != "xiftsoP\n" {
            return Err(format!("answered {line:?}"));
        }
        // TLS 1.2 tickets come before the answer, so the report is complete now.
        let report = stream.get_ref().report().clone();
        stream.shutdown().await.map_err(|error| error.to_string())?;
        Ok(report)
    };
    timeout(DEADLINE, talk)
        .await
        .unwrap_or_else(|_| Err("deadline".to_owned()))
}

/// Lets `s_client` connect, expects its line and answers it.
pub async fn talk_as_server(
    openssl: &OpenSsl,
    config: ServerConfig,
    arguments: &[String],
) -> Result<Report, String> {
    let talk = async {
        let text = |error: std::io::Error| error.to_string();
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(text)?;
        let address = listener.local_addr().map_err(text)?.to_string();
        let mut child = openssl
            .command()
            .args(["s_client", "-quiet", "-connect", &address])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(text)?;
        let mut stdin = child.stdin.take().ok_or("no stdin")?;
        stdin.write_all(b"Postfix\n").await.map_err(text)?;
        let (tcp, _) = listener.accept().await.map_err(text)?;
        let accepted = accept(tcp, Arc::new(config)).await;
        let mut errors = String::new();
        let stream = match accepted {
            Ok(stream) => stream,
            Err(failure) => {
                drop(stdin);
                let mut stderr = child.stderr.take().ok_or("no stderr")?;
                stderr.read_to_string(&mut errors).await.map_err(text)?;
                return Err(format!("{failure}; openssl says {errors}"));
            }
        };
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).await.map_err(text)?;
        stream.write_all(b"220 understood\n").await.map_err(text)?;
        stream.shutdown().await.map_err(text)?;
        drop(stdin);
        let mut said = String::new();
        child
            .stdout
            .take()
            .ok_or("no stdout")?
            .read_to_string(&mut said)
            .await
            .map_err(text)?;
        if line != "Postfix\n" || said != "220 understood\n" {
            return Err(format!("heard {line:?}, openssl heard {said:?}"));
        }
        Ok(stream.get_ref().report().clone())
    };
    timeout(DEADLINE, talk)
        .await
        .unwrap_or_else(|_| Err("deadline".to_owned()))
}
