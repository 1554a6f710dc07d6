//! In: a title and content. Out: a whole document with its style sheet and its script inside, and a policy that lets
//! nothing else run or load. Bounded: by the content. Left to others: what the content says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

/// Inside the page; nothing of a report is ever put into it.
pub(super) const STYLE: &str = include_str!("style.css");

/// Likewise.
pub(super) const SCRIPT: &str = include_str!("script.js");

/// The complete document around its content.
pub(super) fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#content" { "Skip to the verdicts" }
                (body)
                script { (PreEscaped(SCRIPT)) }
            }
        }
        "\n"
    }
}

/// Nothing but the two blocks that the page holds.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}
