//! The pages: the commands in them print what stands below them, and their links lead somewhere. Nothing is started.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the repository")
        .to_owned()
}

/// Every `console` block is run, in the directory of examples that the pages speak of.
#[test]
fn commands_print_what_the_pages_say() {
    let docs = root().join("harness/docs");
    std::env::set_current_dir(docs.join("example")).expect("the examples");
    trycmd::TestCases::new()
        .register_bin("pfs", Path::new(env!("CARGO_BIN_EXE_pfs")))
        .case("../src/*.md");
}

/// Markdown files of the repository that somebody is meant to read, and that no command makes.
fn pages() -> Vec<PathBuf> {
    let root = root();
    let mut pages: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "scenarios/README.md"]
        .iter()
        .map(|name| root.join(name))
        .collect();
    for folder in ["harness/docs/src", "scenarios/claims", "scenarios/corpus"] {
        let entries = fs::read_dir(root.join(folder)).expect(folder);
        let files = entries.map(|entry| entry.expect(folder).path());
        pages.extend(files.filter(|path| path.extension().is_some_and(|it| it == "md")));
    }
    pages
}

/// Where a page's links lead, and the anchors that its headings have.
fn links_and_anchors(text: &str) -> (Vec<String>, BTreeSet<String>) {
    let mut links = Vec::new();
    let mut anchors = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, pulldown_cmark::Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links.push(dest_url.into_string());
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => anchors.extend(heading.take().map(|it| anchor(&it))),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    (links, anchors)
}

/// As mdBook and GitHub make it of a heading.
fn anchor(heading: &str) -> String {
    let lower = heading.trim().to_lowercase();
    let kept = lower
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let folder = page.parent().expect("its folder");
        for link in links_and_anchors(&text).0 {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            seen += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => page.clone(),
                file => folder.join(file),
            };
            let there = match fs::metadata(&target) {
                Err(_) => false,
                Ok(_) if anchor.is_empty() => true,
                Ok(_) => fs::read_to_string(&target)
                    .is_ok_and(|text| links_and_anchors(&text).1.contains(anchor)),
            };
            if !there {
                wrong.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 100, "only {seen} links were found");
}

/// The book has every page, and no page is without a place in it.
#[test]
fn the_summary_has_every_page() {
    let folder = root().join("harness/docs/src");
    let summary = fs::read_to_string(folder.join("SUMMARY.md")).expect("the summary");
    let listed: BTreeSet<String> = links_and_anchors(&summary).0.into_iter().collect();
    let entries = fs::read_dir(&folder).expect("the pages");
    let there: BTreeSet<String> = entries
        .map(|entry| {
            entry
                .expect("a page")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name != "SUMMARY.md")
        .collect();
    assert_eq!(listed, there);
}

#[test]
fn the_page_of_causes_is_the_vocabulary() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/causes.md"))
        .unwrap();
    let (_, table) = page.split_once("<!-- causes -->\n").unwrap();
    let wanted = postfix_tls_log::cause::table();
    assert_eq!(table.trim(), wanted.trim(), "the table has to be\n{wanted}");
}
