//! What a program of the user's printed, and how it ended.

/// What is known of a program of the user's that was one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandReport {
    /// Was it the server?
    pub is_server: bool,
    /// What it printed, on both of its outputs; the first 64 KiB. Text of somebody else's.
    pub output: String,
    /// The status with which it ended; nothing if it was ended.
    pub status: Option<i32>,
}

/// The status by which a shell says that there is no such program, and a program that it cannot do what is asked.
const UNSUPPORTED: i32 = 127;

impl CommandReport {
    /// Why the case does not apply to it, if it says so: by its status, or by this word of its output.
    pub fn unsupported(&self, word: Option<&str>) -> Option<&str> {
        let mut lines = self.output.lines().rev().map(str::trim);
        if let Some(word) = word
            && let Some(line) = lines.clone().find(|line| line.contains(word))
        {
            return Some(line);
        }
        let last = lines.find(|line| !line.is_empty());
        (self.status == Some(UNSUPPORTED)).then(|| last.unwrap_or("status 127"))
    }

    /// How it ended, in words.
    pub fn end(&self) -> String {
        match self.status {
            Some(status) => format!("ended with status {status}"),
            None => "did not end by itself".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_itself_what_it_cannot_do() {
        let report = |status, output: &str| CommandReport {
            is_server: false,
            output: output.to_owned(),
            status,
        };
        let old = report(Some(1), "usage\nunknown option -groups\n\n");
        assert_eq!(old.unsupported(None), None);
        assert_eq!(
            old.unsupported(Some("unknown option")),
            Some("unknown option -groups")
        );
        let missing = report(Some(127), "no program x\n");
        assert_eq!(missing.unsupported(None), Some("no program x"));
        assert_eq!(missing.unsupported(Some("other")), Some("no program x"));
    }
}
