//! A little SMTP, without TLS, and a look at what else runs on this machine.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::SOON;

/// Takes one message.
pub(crate) struct Sink(TcpListener);

impl Sink {
    pub(crate) async fn listen(address: IpAddr) -> Sink {
        Sink(TcpListener::bind((address, 0)).await.unwrap())
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// The message's text, headers included.
    pub(crate) async fn receive(self) -> String {
        let (stream, _) = self.0.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 sink\r\n").await.unwrap();
        let mut message = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(
                stream.read_line(&mut line).await.unwrap(),
                0,
                "closed before QUIT: {message}"
            );
            match line.split_whitespace().next().unwrap_or_default() {
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await.unwrap();
                    while !message.ends_with("\r\n.\r\n") {
                        assert_ne!(stream.read_line(&mut message).await.unwrap(), 0);
                    }
                    stream.write_all(b"250 taken\r\n").await.unwrap();
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n").await.unwrap();
                    return message;
                }
                _ => stream.write_all(b"250 ok\r\n").await.unwrap(),
            }
        }
    }
}

/// The first line an SMTP server says.
pub(crate) async fn banner(address: SocketAddr) -> String {
    let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
    let mut line = String::new();
    timeout(SOON, stream.read_line(&mut line))
        .await
        .expect("a banner")
        .unwrap();
    line
}

/// Sends a message to one recipient.
pub(crate) async fn send(server: SocketAddr, to: &str, words: &str) {
    let mut stream = BufReader::new(TcpStream::connect(server).await.unwrap());
    let commands = [
        "",
        "EHLO test",
        "MAIL FROM:<s@example.test>",
        &format!("RCPT TO:<{to}>"),
        "DATA",
        &format!("Subject: test\r\n\r\n{words}\r\n."),
        "QUIT",
    ];
    for command in commands {
        if !command.is_empty() {
            stream
                .write_all(format!("{command}\r\n").as_bytes())
                .await
                .unwrap();
        }
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(
                stream.read_line(&mut line).await.unwrap(),
                0,
                "closed after {command}"
            );
            if line.as_bytes().get(3) != Some(&b'-') {
                break;
            }
        }
        assert!(line.starts_with(['2', '3']), "{command}: {line}");
    }
}

/// Processes that live in a chroot fleet's root, or are its supervisor.
pub(crate) fn processes_of(home: &Path, supervisor: i32) -> Vec<String> {
    let home = home.to_str().unwrap();
    let of_it = |process: &std::path::PathBuf| {
        let root = std::fs::read_link(process.join("root")).unwrap_or_default();
        let command = std::fs::read_to_string(process.join("cmdline")).unwrap_or_default();
        root.to_string_lossy().contains(home)
            || process.ends_with(supervisor.to_string()) && command.contains(home)
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(of_it)
        .map(|process| process.display().to_string())
        .collect()
}

/// The image that was built for a target last.
pub(crate) async fn image_of(target: &str) -> String {
    use testcontainers::bollard::query_parameters::ListImagesOptions;
    let docker = testcontainers::core::client::docker_client_instance()
        .await
        .unwrap();
    let prefix = format!("localhost/pfs/{target}:");
    let mut images = docker.list_images(None::<ListImagesOptions>).await.unwrap();
    images.sort_by_key(|image| image.created);
    images
        .into_iter()
        .flat_map(|image| image.repo_tags)
        .rfind(|tag| tag.starts_with(&prefix))
        .unwrap()
}

/// Makes a container, and does not start it.
pub(crate) async fn create(image: &str, labels: Vec<(String, String)>) -> String {
    use testcontainers::bollard::{
        models::ContainerCreateBody, query_parameters::CreateContainerOptions,
    };
    let docker = testcontainers::core::client::docker_client_instance()
        .await
        .unwrap();
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["true".to_owned()]),
        labels: Some(labels.into_iter().collect()),
        ..Default::default()
    };
    let made = docker.create_container(None::<CreateContainerOptions>, body);
    made.await.unwrap().id
}

pub(crate) async fn exists(container: &str) -> bool {
    use testcontainers::bollard::query_parameters::InspectContainerOptions;
    let docker = testcontainers::core::client::docker_client_instance()
        .await
        .unwrap();
    let found = docker.inspect_container(container, None::<InspectContainerOptions>);
    found.await.is_ok()
}

/// Removes a container, if it is there.
pub(crate) async fn forget(container: &str) {
    use testcontainers::bollard::query_parameters::RemoveContainerOptions;
    let docker = testcontainers::core::client::docker_client_instance()
        .await
        .unwrap();
    let _ = docker
        .remove_container(container, None::<RemoveContainerOptions>)
        .await;
}

/// Makes `name` another image like `like`, with nothing new in it but a comment.
pub(crate) async fn commit(like: &str, name: &str, comment: &str) {
    use testcontainers::bollard::{
        models::ContainerConfig, query_parameters::CommitContainerOptionsBuilder,
    };
    let docker = testcontainers::core::client::docker_client_instance()
        .await
        .unwrap();
    let container = create(like, Vec::new()).await;
    let (repository, tag) = name.rsplit_once(':').unwrap();
    let options = CommitContainerOptionsBuilder::new()
        .container(&container)
        .repo(repository)
        .tag(tag)
        .comment(comment)
        .build();
    docker
        .commit_container(options, ContainerConfig::default())
        .await
        .unwrap();
    forget(&container).await;
}

/// Removes an image, and those that were built on it for a target.
pub(crate) async fn forget_images_of(name: &str, target: &str) {
    use testcontainers::bollard::query_parameters::{ListImagesOptions, RemoveImageOptions};
    let docker = testcontainers::core::client::docker_client_instance()
        .await
        .unwrap();
    let ours = [
        format!("localhost/pfs/{target}:"),
        format!("localhost/pfs/base-{target}:"),
    ];
    let images = docker.list_images(None::<ListImagesOptions>).await.unwrap();
    let tags = images.into_iter().flat_map(|image| image.repo_tags);
    let tags = tags.filter(|tag| tag == name || ours.iter().any(|ours| tag.starts_with(ours)));
    for tag in tags {
        docker
            .remove_image(&tag, None::<RemoveImageOptions>, None)
            .await
            .unwrap();
    }
}
