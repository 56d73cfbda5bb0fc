//! The server's side of SMTP: answers every command until something happens that its owner must know.

use tokio::io::{AsyncRead, AsyncWrite};

use super::line::escaped;
use super::{Dialogue, Lines, MAX_MESSAGE, Message, SmtpError, Stage};

/// How many unknown commands a client may send before it is cut off.
const MAX_NONSENSE: usize = 20;

/// Most recipients of one message (RFC 5321 section 4.5.3.1.8 asks for 100).
const MAX_RECIPIENTS: usize = 100;

/// What a server says about STARTTLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Offer {
    /// Neither offered nor taken: a plain sink, or a server that is already inside TLS.
    #[default]
    No,
    /// Offered and taken.
    Yes,
    /// Offered and taken, with a reply too many in the same go.
    YesAndMore,
    /// Offered, then answered with 454 (RFC 3207 section 4).
    Refused,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// STARTTLS was answered with 220: TLS begins with the next byte.
    StartTls,
    /// A message was taken and answered with 250.
    Message(Message),
    /// QUIT was answered with 221.
    Quit,
    /// The client closed its side between commands.
    Closed,
}

/// An SMTP server on a stream.
#[derive(Debug)]
pub struct Server<S> {
    lines: Lines<S>,
    hostname: String,
    offer: Offer,
    /// The reply to MAIL comes with that to EHLO.
    hasty: bool,
    ehlo_stage: Stage,
    helo: String,
    from: Option<String>,
    to: Vec<String>,
    nonsense: usize,
    taken: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Server<S> {
    /// A server that calls itself `hostname`, on a stream on which nothing has been said yet.
    pub fn new(stream: S, hostname: &str, offer: Offer) -> Self {
        Self {
            lines: Lines::new(stream),
            hostname: hostname
                .chars()
                .filter(|c| c.is_ascii_graphic())
                .take(255)
                .collect(),
            offer,
            hasty: false,
            ehlo_stage: Stage::Ehlo,
            helo: String::new(),
            from: None,
            to: Vec::new(),
            nonsense: 0,
            taken: 0,
        }
    }

    /// A server on a stream inside TLS: no STARTTLS, and EHLO counts as the second one.
    pub fn inside_tls(stream: S, hostname: &str) -> Self {
        Self {
            ehlo_stage: Stage::EhloTls,
            ..Self::new(stream, hostname, Offer::No)
        }
    }

    /// The same, which offers STARTTLS after all, and refuses it.
    #[must_use]
    pub fn offering_again(mut self) -> Self {
        self.offer = Offer::Refused;
        self
    }

    /// The same, whose reply to MAIL comes with that to EHLO, before MAIL was said.
    #[must_use]
    pub fn hasty(mut self) -> Self {
        self.hasty = true;
        self
    }

    /// Sends the greeting.
    ///
    /// # Errors
    /// When the stream fails.
    pub async fn banner(&mut self, dialogue: &mut Dialogue) -> Result<(), SmtpError> {
        dialogue.stage = Stage::Banner;
        self.say(&format!("220 {} ESMTP pfs", self.hostname)).await
    }

    /// Sends a greeting that turns the client away.
    ///
    /// # Errors
    /// When the stream fails.
    pub async fn refuse(&mut self, dialogue: &mut Dialogue) -> Result<(), SmtpError> {
        dialogue.stage = Stage::Banner;
        self.say(&format!(
            "421 4.3.2 {} Service not available, closing transmission channel",
            self.hostname
        ))
        .await
    }

    /// Answers commands until something notable happens.
    ///
    /// # Errors
    /// When the stream fails or ends within a command, a limit is exceeded, or nothing but nonsense comes.
    pub async fn next(&mut self, dialogue: &mut Dialogue) -> Result<Event, SmtpError> {
        loop {
            if self.ehlo_stage == Stage::Ehlo && self.lines.is_tls().await? {
                return Err(SmtpError::TlsInClear);
            }
            let Some(line) = self.lines.line().await? else {
                return Ok(Event::Closed);
            };
            let line = escaped(&line);
            dialogue.command(&line);
            let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    dialogue.stage = self.ehlo_stage;
                    self.begin(argument);
                    let starttls = if self.offer == Offer::No {
                        ""
                    } else {
                        "250-STARTTLS\r\n"
                    };
                    let early = if self.hasty { "\r\n250 2.1.0 Ok" } else { "" };
                    let text = format!(
                        "250-{}\r\n{starttls}250-8BITMIME\r\n250 SIZE {MAX_MESSAGE}{early}",
                        self.hostname
                    );
                    self.say(&text).await?;
                }
                "HELO" => {
                    dialogue.stage = self.ehlo_stage;
                    self.begin(argument);
                    self.say(&format!("250 {}", self.hostname)).await?;
                }
                "STARTTLS" => {
                    dialogue.stage = Stage::Starttls;
                    match self.offer {
                        Offer::Yes => {
                            self.say("220 2.0.0 Ready to start TLS").await?;
                            return Ok(Event::StartTls);
                        }
                        Offer::YesAndMore => {
                            self.say("220 2.0.0 Ready to start TLS\r\n250 injected")
                                .await?;
                            return Ok(Event::StartTls);
                        }
                        Offer::Refused => {
                            self.say("454 4.7.0 TLS not available due to local problem")
                                .await?
                        }
                        Offer::No => self.unknown(&line).await?,
                    }
                }
                "MAIL" => {
                    dialogue.stage = Stage::Mail;
                    match path(argument, "FROM:") {
                        Some(from) => {
                            self.to.clear();
                            self.from = Some(from);
                            if !self.hasty {
                                self.say("250 2.1.0 Ok").await?;
                            }
                        }
                        None => self.say("501 5.5.4 Syntax: MAIL FROM:<address>").await?,
                    }
                }
                "RCPT" => {
                    dialogue.stage = Stage::Rcpt;
                    match path(argument, "TO:") {
                        _ if self.from.is_none() => {
                            self.say("503 5.5.1 Error: need MAIL command").await?
                        }
                        _ if self.to.len() == MAX_RECIPIENTS => {
                            self.say("452 4.5.3 Too many recipients").await?
                        }
                        Some(to) => {
                            self.to.push(to);
                            self.say("250 2.1.5 Ok").await?;
                        }
                        None => self.say("501 5.5.4 Syntax: RCPT TO:<address>").await?,
                    }
                }
                "DATA" => {
                    dialogue.stage = Stage::Data;
                    if self.to.is_empty() {
                        self.say("503 5.5.1 Error: need RCPT command").await?;
                        continue;
                    }
                    self.say("354 End data with <CR><LF>.<CR><LF>").await?;
                    dialogue.stage = Stage::Message;
                    let data = self.data().await?;
                    self.taken += 1;
                    self.say(&format!("250 2.0.0 Ok: queued as PFS{}", self.taken))
                        .await?;
                    dialogue.stage = Stage::Quit;
                    return Ok(Event::Message(Message {
                        helo: self.helo.clone(),
                        from: self.from.take().unwrap_or_default(),
                        to: std::mem::take(&mut self.to),
                        data,
                    }));
                }
                "RSET" => {
                    self.from = None;
                    self.to.clear();
                    self.say("250 2.0.0 Ok").await?;
                }
                "NOOP" => self.say("250 2.0.0 Ok").await?,
                "QUIT" => {
                    dialogue.quit = true;
                    // A client may close without waiting for this (Postfix: smtp_skip_quit_response).
                    let _ = self.say("221 2.0.0 Bye").await;
                    dialogue.stage = Stage::Done;
                    return Ok(Event::Quit);
                }
                _ => self.unknown(&line).await?,
            }
        }
    }

    /// The stream, for TLS to take over, and the bytes already read from it.
    pub fn into_parts(self) -> (S, Vec<u8>) {
        self.lines.into_parts()
    }

    /// The lines underneath.
    pub const fn lines(&mut self) -> &mut Lines<S> {
        &mut self.lines
    }

    fn begin(&mut self, helo: &str) {
        self.helo = helo.trim().to_owned();
        self.from = None;
        self.to.clear();
    }

    async fn data(&mut self) -> Result<Vec<u8>, SmtpError> {
        let mut data = Vec::new();
        loop {
            let line = self.lines.line().await?.ok_or(SmtpError::Closed {
                expected: "the rest of a message",
            })?;
            if line == b"." {
                return Ok(data);
            }
            let text = line.strip_prefix(b".").unwrap_or(&line);
            if data.len() + text.len() + 2 > MAX_MESSAGE {
                return Err(SmtpError::MessageTooLarge { limit: MAX_MESSAGE });
            }
            data.extend(text);
            data.extend(b"\r\n");
        }
    }

    async fn unknown(&mut self, line: &str) -> Result<(), SmtpError> {
        self.nonsense += 1;
        if self.nonsense > MAX_NONSENSE {
            let last = line.chars().take(80).collect();
            return Err(SmtpError::Nonsense {
                count: self.nonsense,
                last,
            });
        }
        self.say("502 5.5.2 Error: command not recognized").await
    }

    async fn say(&mut self, text: &str) -> Result<(), SmtpError> {
        self.lines.write(format!("{text}\r\n").as_bytes()).await
    }
}

/// The address in `FROM:<address> PARAMETERS`.
fn path(argument: &str, keyword: &str) -> Option<String> {
    let argument = argument.trim_start();
    let (start, rest) = argument.split_at_checked(keyword.len())?;
    if !start.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = rest.trim_start().strip_prefix('<')?;
    rest.split_once('>').map(|(address, _)| address.to_owned())
}
