//! The script that starts and ends a fleet, whatever runs it.

use std::time::Duration;

use crate::Lifetime;

/// The script; the same in every engine.
pub(crate) const SUPERVISE: &str = include_str!("../../images/supervise.sh");

/// resolv.conf(5): what is not answered at once will not be answered by asking again, since the resolver is the
/// fleet's own.
pub(crate) const RESOLVER_OPTIONS: [&str; 2] = ["timeout:1", "attempts:1"];

/// How `images/supervise.sh` wants a lifetime written: seconds between two of the four looks at the lease.
pub(crate) fn poll(lifetime: Lifetime) -> String {
    match lifetime {
        Lifetime::Forever => "forever".to_owned(),
        Lifetime::Leased { grace } => {
            format!(
                "{:.2}",
                (grace / 4).max(Duration::from_millis(100)).as_secs_f64()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_for_the_script() {
        assert_eq!(poll(Lifetime::default()), "5.00");
        assert_eq!(poll(Lifetime::Forever), "forever");
        assert_eq!(
            poll(Lifetime::Leased {
                grace: Duration::ZERO
            }),
            "0.10"
        );
    }
}
