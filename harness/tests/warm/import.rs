//! `pfs import --run` against a real Postfix.

use super::place::Place;

const LINE: &str = "Nov 22 08:00:01 mx postfix/smtp[1]: 4F1B2C3D4E: to=<me@example.org>, \
    relay=mail.example.org[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=4.7.5, status=deferred";

#[tokio::test]
async fn a_reported_line_is_shown_or_the_nearest_is() {
    let place = Place::new().await;
    let report = place.cache().join("report.txt");
    let run = |text: &str| {
        std::fs::write(&report, text).unwrap();
        place.pfs(&["import", &report.to_string_lossy(), "--run"])
    };
    let shown = run(&format!(
        "smtp_tls_security_level = verify\n\n{LINE} (Server certificate not verified)\n"
    ));
    shown.passes();
    for words in [
        "reported: <queue-id>: to=<",
        "SHOWN     reports/imported on debian-13: smtp: <queue-id>:",
        "(Server certificate not verified)",
    ] {
        assert!(
            shown.text.contains(words),
            "`{words}` is not in\n{}",
            shown.text
        );
    }
    // No Postfix of today has a cipher of its name: another one is agreed on.
    let another = run(
        "smtp_tls_security_level = may\n\nNov 22 08:00:01 mx postfix/smtp[1]: Untrusted TLS connection established to \
         mail.example.org[192.0.2.1]:25: TLSv1.2 with cipher IDEA-CBC-SHA (128/128 bits)\n",
    );
    assert_eq!(another.code, Some(1), "{}", another.text);
    for words in [
        "NOT SHOWN reports/imported on debian-13; nearest: smtp: ",
        "no target shows the reported line; the nearest is that of reports/imported on debian-13",
        "only in the line of the report: ",
        "IDEA-CBC-SHA",
        "only in the line of the target: ",
    ] {
        assert!(
            another.text.contains(words),
            "`{words}` is not in\n{}",
            another.text
        );
    }
}
