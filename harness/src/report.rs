//! Last stage: events in; terminal, JSON lines, JUnit, Markdown, HTML out. Any number of reports hear the same events; the runner knows none of them.

mod causes;
mod html;
mod json;
mod junit;
mod markdown;
mod notes;
pub mod result;
pub mod saved;
mod sink;
mod terminal;
mod watch;
mod words;

pub use html::Html;
pub use json::Json;
pub use junit::Junit;
pub use markdown::Markdown;
pub use notes::Notes;
pub use sink::{Sink, WholeFile};
pub use terminal::Terminal;
pub use watch::Watch;

use std::io;

use tokio::sync::mpsc;

use crate::event::Event;

/// Consumes events.
pub trait Report: Send {
    /// Takes notice of one event.
    ///
    /// # Errors
    /// What the report goes to cannot be written; it hears no further event.
    fn event(&mut self, event: &Event) -> io::Result<()>;
}

/// A report, and what an error calls it by.
pub struct Named {
    /// `stdout`, or a path.
    pub name: String,
    /// The report.
    pub report: Box<dyn Report>,
}

/// Feeds every report with all of `events`, each at its own pace, until the last sender is gone. Returns what could not be
/// written. A reader that has closed its pipe has seen what it wanted: that is no error.
pub async fn feed(reports: Vec<Named>, mut events: mpsc::UnboundedReceiver<Event>) -> Vec<String> {
    let mut feeds = Vec::new();
    let mut writers = Vec::new();
    for Named { name, mut report } in reports {
        let (feed, mut own) = mpsc::unbounded_channel::<Event>();
        feeds.push(feed);
        // Reports write: that may wait for a pipe or a disk.
        writers.push(tokio::task::spawn_blocking(move || {
            while let Some(event) = own.blocking_recv() {
                match report.event(&event) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return None,
                    Err(error) => return Some(format!("{name}: {error}")),
                }
            }
            None
        }));
    }
    while let Some(event) = events.recv().await {
        for feed in &feeds {
            // One that has failed hears nothing any more.
            let _ = feed.send(event.clone());
        }
    }
    drop(feeds);
    let mut failed = Vec::new();
    for writer in writers {
        match writer.await {
            Ok(error) => failed.extend(error),
            Err(panicked) => failed.push(format!("a report is incomplete: {panicked}")),
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::outcome::Tally;

    /// Keeps a word for each event, or fails at the first one.
    struct Words(Arc<Mutex<Vec<String>>>, Option<io::ErrorKind>);

    impl Report for Words {
        fn event(&mut self, event: &Event) -> io::Result<()> {
            if let Some(kind) = self.1 {
                return Err(kind.into());
            }
            let word = match event {
                Event::Doing { what, .. } => what.clone(),
                _ => "end".to_owned(),
            };
            self.0.lock().unwrap().push(word);
            Ok(())
        }
    }

    #[tokio::test]
    async fn every_report_hears_all_of_it_whatever_becomes_of_another() {
        let heard: [Arc<Mutex<Vec<String>>>; 2] = Default::default();
        let named = |name: &str, report| Named {
            name: name.to_owned(),
            report: Box::new(report),
        };
        let (sender, receiver) = mpsc::unbounded_channel();
        for what in ["a", "b"] {
            let (target, what) = ("t".to_owned(), what.to_owned());
            sender.send(Event::Doing { target, what }).unwrap();
        }
        sender.send(Event::Finished(Tally::default())).unwrap();
        drop(sender);
        let reports = vec![
            named("1", Words(Arc::clone(&heard[0]), None)),
            named(
                "full",
                Words(Arc::default(), Some(io::ErrorKind::StorageFull)),
            ),
            named(
                "pipe",
                Words(Arc::default(), Some(io::ErrorKind::BrokenPipe)),
            ),
            named("2", Words(Arc::clone(&heard[1]), None)),
        ];
        let failed = feed(reports, receiver).await;
        assert_eq!(failed, ["full: no storage space"]);
        for words in heard {
            assert_eq!(*words.lock().unwrap(), ["a", "b", "end"]);
        }
    }
}
