//! A Postfix that crashes is a failure, whatever else a scenario expects.

use super::Place;

/// An smtpd that dies by a signal as soon as somebody comes to a case's own; mail is still injected.
const DIES: &str = "#!/bin/sh\ncase \"$*\" in *smtpd_tls_loglevel*) kill -SEGV $$ ;; esac\n\
    exec /usr/lib/postfix/kept/smtpd \"$@\"\n";
const KILLED: &str = "smtpd was killed by signal 11";

#[tokio::test]
async fn an_smtpd_that_dies_by_a_signal_passes_for_nothing_but_that() {
    let place = Place::new().await;
    place.keep("usr/lib/postfix/sbin/smtpd", "usr/lib/postfix/kept/smtpd");
    place.rebuild("usr/lib/postfix/sbin/smtpd", DIES);
    let scenario = |more: &str| {
        format!(
            "why = \"w\"\ndeadline = 3\nserver = {{ postfix = {{}} }}\nclient = {{ rustls = {{}} }}\n{more}\n"
        )
    };
    let gone = "expect = { failure = { side = \"server\", cause = \"deadline reached\" } }";
    let departure = format!(
        "expect = {{ tls = true }}\n[[departure]]\ntargets = \"postfix >= 3.4\"\nwhy = \"w\"\n{gone}"
    );
    let bug = format!(
        "{gone}\n[[known_bug]]\nwhy = \"w\"\nsymptom = [\"{KILLED}\", \"failure\", \"delivered\"]"
    );
    for more in [gone, departure.as_str(), bug.as_str()] {
        place.scenario(&scenario(more));
        let said = place.pfs(&["run", "--accept"]);
        assert_eq!(said.code, Some(1), "{more}\n{}", said.text);
        assert!(said.text.contains(KILLED), "{more}\n{}", said.text);
    }
}
