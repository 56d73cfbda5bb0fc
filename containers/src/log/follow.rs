//! Reads a fleet's log as it grows, and feeds [`Log`].

use std::{
    fs::File,
    future::Future,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

#[cfg(feature = "docker")]
use futures_util::StreamExt as _;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
#[cfg(feature = "docker")]
use testcontainers::bollard::{Docker, query_parameters::LogsOptionsBuilder};
use tokio::{net::unix::pipe, task::JoinHandle};

use super::Log;

/// A task that ends when this is dropped.
pub(crate) struct Follower(JoinHandle<()>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// The first line there is.
    Start,
    /// What is written from now on.
    Now,
}

/// Cuts a stream of bytes into lines.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn push(&mut self, bytes: &[u8], log: &Log) {
        self.rest.extend_from_slice(bytes);
        let mut start = 0;
        while let Some(length) = self.rest[start..].iter().position(|byte| *byte == b'\n') {
            log.push(&String::from_utf8_lossy(&self.rest[start..start + length]));
            start += length + 1;
        }
        self.rest.drain(..start);
    }

    fn end(self, log: &Log) {
        if !self.rest.is_empty() {
            log.push(&String::from_utf8_lossy(&self.rest));
        }
        log.end();
    }
}

/// Follows a file until `ended`, then reads what is left of it.
///
/// # Errors
/// The file cannot be opened or watched.
pub(crate) fn file(
    log: Log,
    path: &Path,
    from: From,
    ended: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Follower> {
    let mut file = File::open(path)?;
    if from == From::Now {
        file.seek(SeekFrom::End(0))?;
    }
    let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    inotify::add_watch(&watch, path, WatchFlags::MODIFY)?;
    // Reads like a pipe, which is all that is asked of it.
    let watch = pipe::Receiver::from_owned_fd_unchecked(watch)?;
    Ok(Follower(tokio::spawn(async move {
        let mut lines = Lines::default();
        let mut ended = std::pin::pin!(ended);
        loop {
            read_to_end(&mut file, &mut lines, &log);
            let changed = tokio::select! {
                changed = modified(&watch) => changed,
                () = &mut ended => break,
            };
            if changed.is_err() {
                break;
            }
        }
        read_to_end(&mut file, &mut lines, &log);
        lines.end(&log);
    })))
}

fn read_to_end(file: &mut File, lines: &mut Lines, log: &Log) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = file.read(&mut buffer) {
        lines.push(&buffer[..count], log);
    }
}

/// Waits for the watched file to change, and swallows every event there is.
async fn modified(watch: &pipe::Receiver) -> io::Result<()> {
    watch.readable().await?;
    let mut events = [0; 4096];
    loop {
        match watch.try_read(&mut events) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Follows a container's output until it ends.
#[cfg(feature = "docker")]
pub(crate) fn container(log: Log, docker: &Docker, id: &str, from: From) -> Follower {
    let options = LogsOptionsBuilder::new()
        .follow(true)
        .stdout(true)
        .stderr(true)
        .tail(if from == From::Start { "all" } else { "0" })
        .build();
    let mut output = Box::pin(docker.logs(id, Some(options)));
    Follower(tokio::spawn(async move {
        let mut lines = Lines::default();
        while let Some(Ok(chunk)) = output.next().await {
            lines.push(&chunk.into_bytes(), &log);
        }
        lines.end(&log);
    }))
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, time::Duration};

    use tokio::{sync::oneshot, time::timeout};

    use super::*;

    #[tokio::test]
    async fn follows_a_file_to_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut writer = File::create(&path).unwrap();
        writeln!(writer, "before").unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let log = Log::new();
        let mut lines = log.subscribe_all();
        let ended = async { ended.await.unwrap_or_default() };
        let _follower = file(log.clone(), &path, From::Start, ended).unwrap();
        let mut next = async || timeout(Duration::from_secs(5), lines.recv()).await.unwrap();
        assert_eq!(next().await.unwrap().text, "before");
        write!(writer, "one\ntw").unwrap();
        assert_eq!(next().await.unwrap().text, "one");
        writeln!(writer, "o").unwrap();
        assert_eq!(next().await.unwrap().text, "two");
        write!(writer, "cut").unwrap();
        end.send(()).unwrap();
        assert_eq!(next().await.unwrap().text, "cut");
        assert!(next().await.is_none());
        timeout(Duration::from_secs(5), log.ended()).await.unwrap();
    }

    #[tokio::test]
    async fn skips_what_was_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        std::fs::write(&path, "before\n").unwrap();
        let log = Log::new();
        let mut lines = log.subscribe_all();
        let _follower = file(log, &path, From::Now, std::future::pending()).unwrap();
        let mut writer = File::options().append(true).open(&path).unwrap();
        writeln!(writer, "after").unwrap();
        let line = timeout(Duration::from_secs(5), lines.recv())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(line.text, "after");
    }
}
