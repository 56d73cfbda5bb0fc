//! The client's side of SMTP, step by step.

use tokio::io::{AsyncRead, AsyncWrite};

use super::message::check;
use super::{Dialogue, Lines, Mail, Reply, SmtpError, Stage};

/// An SMTP client on a stream.
#[derive(Debug)]
pub struct Client<S> {
    lines: Lines<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// A client on a stream on which nothing has been said yet.
    pub const fn new(stream: S) -> Self {
        Self {
            lines: Lines::new(stream),
        }
    }

    /// Reads the greeting.
    ///
    /// # Errors
    /// When it is not 220, or as [`Lines::reply`].
    pub async fn banner(&mut self, dialogue: &mut Dialogue) -> Result<(), SmtpError> {
        dialogue.stage = Stage::Banner;
        self.expect("connect", 220, dialogue).await.map(drop)
    }

    /// Says EHLO; `stage` tells whether this is the one before or inside TLS.
    ///
    /// # Errors
    /// When the answer is not 250.
    pub async fn ehlo(
        &mut self,
        name: &str,
        stage: Stage,
        dialogue: &mut Dialogue,
    ) -> Result<Reply, SmtpError> {
        dialogue.stage = stage;
        check("EHLO name", name)?;
        self.command(&format!("EHLO {name}"), 250, dialogue).await
    }

    /// Says EHLO without waiting for the greeting, and then reads both replies.
    ///
    /// # Errors
    /// When the greeting is not 220 or the answer is not 250.
    pub async fn early_ehlo(
        &mut self,
        name: &str,
        dialogue: &mut Dialogue,
    ) -> Result<Reply, SmtpError> {
        check("EHLO name", name)?;
        dialogue.stage = Stage::Banner;
        self.lines
            .write(format!("EHLO {name}\r\n").as_bytes())
            .await?;
        self.expect("connect", 220, dialogue).await?;
        dialogue.stage = Stage::Ehlo;
        self.expect("EHLO", 250, dialogue).await
    }

    /// Says EHLO and STARTTLS in one go, and then reads both replies; TLS begins with the next byte.
    ///
    /// # Errors
    /// When the answers are not 250 and 220.
    pub async fn early_starttls(
        &mut self,
        name: &str,
        dialogue: &mut Dialogue,
    ) -> Result<(), SmtpError> {
        check("EHLO name", name)?;
        dialogue.stage = Stage::Ehlo;
        self.lines
            .write(format!("EHLO {name}\r\nSTARTTLS\r\n").as_bytes())
            .await?;
        self.expect("EHLO", 250, dialogue).await?;
        dialogue.stage = Stage::Starttls;
        self.expect("STARTTLS", 220, dialogue).await.map(drop)
    }

    /// Says STARTTLS. TLS begins with the next byte.
    ///
    /// # Errors
    /// When `ehlo` does not offer it ([`SmtpError::NotOffered`]) or the answer is not 220.
    pub async fn starttls(
        &mut self,
        ehlo: &Reply,
        dialogue: &mut Dialogue,
    ) -> Result<(), SmtpError> {
        dialogue.stage = Stage::Starttls;
        ehlo.offers_starttls()?;
        self.command("STARTTLS", 220, dialogue).await.map(drop)
    }

    /// Says STARTTLS whether it was offered or not, in the words given, with what follows them in the same go.
    ///
    /// # Errors
    /// When the answer is not 220.
    pub async fn starttls_as(
        &mut self,
        command: &str,
        following: &str,
        dialogue: &mut Dialogue,
    ) -> Result<(), SmtpError> {
        dialogue.stage = Stage::Starttls;
        self.lines
            .write(format!("{command}\r\n{following}").as_bytes())
            .await?;
        self.expect(command, 220, dialogue).await.map(drop)
    }

    /// Begins a mail and says no more of it.
    ///
    /// # Errors
    /// When the sender is refused.
    pub async fn begin_mail(
        &mut self,
        from: &str,
        dialogue: &mut Dialogue,
    ) -> Result<(), SmtpError> {
        dialogue.stage = Stage::Mail;
        check("sender", from)?;
        self.command(&format!("MAIL FROM:<{from}>"), 250, dialogue)
            .await
            .map(drop)
    }

    /// Sends a mail; returns the reply to its end, which names the queue id.
    ///
    /// # Errors
    /// When an address cannot be sent or the server refuses a step.
    pub async fn deliver(
        &mut self,
        mail: &Mail,
        dialogue: &mut Dialogue,
    ) -> Result<Reply, SmtpError> {
        self.deliver_when(mail, std::future::ready(()), dialogue)
            .await
    }

    /// As [`deliver`](Self::deliver), with the message kept back until `ready` is: the server has begun to take it by then.
    ///
    /// # Errors
    /// As there.
    pub async fn deliver_when(
        &mut self,
        mail: &Mail,
        ready: impl Future<Output = ()>,
        dialogue: &mut Dialogue,
    ) -> Result<Reply, SmtpError> {
        mail.check()?;
        dialogue.stage = Stage::Mail;
        self.command(&format!("MAIL FROM:<{}>", mail.from), 250, dialogue)
            .await?;
        dialogue.stage = Stage::Rcpt;
        self.command(&format!("RCPT TO:<{}>", mail.to), 250, dialogue)
            .await?;
        dialogue.stage = Stage::Data;
        self.command("DATA", 354, dialogue).await?;
        dialogue.stage = Stage::Message;
        ready.await;
        self.lines.write(&mail.stuffed()).await?;
        self.expect("end of message", 250, dialogue).await
    }

    /// Says QUIT and reads the answer.
    ///
    /// # Errors
    /// When the answer is not 221 or the server just closes.
    pub async fn quit(&mut self, dialogue: &mut Dialogue) -> Result<(), SmtpError> {
        dialogue.stage = Stage::Quit;
        dialogue.quit = true;
        self.command("QUIT", 221, dialogue).await?;
        dialogue.stage = Stage::Done;
        Ok(())
    }

    /// The stream, for TLS to take over, and the bytes already read from it.
    pub fn into_parts(self) -> (S, Vec<u8>) {
        self.lines.into_parts()
    }

    /// The lines underneath.
    pub const fn lines(&mut self) -> &mut Lines<S> {
        &mut self.lines
    }

    async fn command(
        &mut self,
        command: &str,
        expected: u16,
        dialogue: &mut Dialogue,
    ) -> Result<Reply, SmtpError> {
        self.lines
            .write(format!("{command}\r\n").as_bytes())
            .await?;
        self.expect(command, expected, dialogue).await
    }

    async fn expect(
        &mut self,
        command: &str,
        expected: u16,
        dialogue: &mut Dialogue,
    ) -> Result<Reply, SmtpError> {
        let reply = self.lines.reply().await?;
        dialogue.reply(&reply);
        if reply.code == expected {
            Ok(reply)
        } else {
            Err(SmtpError::Refused {
                command: command.to_owned(),
                reply,
                expected,
            })
        }
    }
}
