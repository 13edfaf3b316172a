//! Documentation pages of policies: Markdown that authors wrote, shown as HTML that cannot do anything.
//! HTML in the text is shown as text, links lead to the web or nowhere, images become their description.

use pulldown_cmark::{Alignment, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// The longest page that is rendered, in bytes; the rest is left out.
const MAX_BYTES: usize = 64 << 10;

/// The page as HTML without anything that a strict policy of the browser would refuse.
pub(super) fn render(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut links = Vec::new();
    let events = Parser::new_ext(capped(markdown), options).filter_map(|event| harmless(event, &mut links));
    let mut out = String::new();
    html::push_html(&mut out, events);
    out
}

/// `links` remembers for each open link whether its start was kept, so that the end follows it.
fn harmless<'a>(event: Event<'a>, links: &mut Vec<bool>) -> Option<Event<'a>> {
    Some(match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Image { .. } | Tag::HtmlBlock) | Event::End(TagEnd::Image | TagEnd::HtmlBlock) => {
            return None;
        }
        Event::Start(Tag::Link { link_type, dest_url, .. }) => {
            let kept = leads_to_the_web(&dest_url);
            links.push(kept);
            let (title, id) = (CowStr::from(""), CowStr::from(""));
            return kept.then_some(Event::Start(Tag::Link { link_type, dest_url, title, id }));
        }
        Event::End(TagEnd::Link) => return links.pop().unwrap_or(false).then_some(Event::End(TagEnd::Link)),
        // Aligned cells carry a style attribute, which the browser is told to refuse.
        Event::Start(Tag::Table(columns)) => Event::Start(Tag::Table(vec![Alignment::None; columns.len()])),
        Event::Start(Tag::Heading { level, .. }) => {
            Event::Start(Tag::Heading { level: lower(level), id: None, classes: Vec::new(), attrs: Vec::new() })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
        other => other,
    })
}

fn leads_to_the_web(url: &str) -> bool {
    let url = url.to_ascii_lowercase();
    ["https://", "http://", "mailto:"].iter().any(|scheme| url.starts_with(scheme))
}

/// The page that shows the text has its own first and second heading.
fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 | HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        _ => HeadingLevel::H5,
    }
}

fn capped(text: &str) -> &str {
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_in_the_text_is_shown_as_text() {
        let html = render("# Probe\n\n<script>alert(1)</script>\n\nHello <b onclick=x>you</b>");
        assert!(!html.contains("<script") && !html.contains("<b "), "{html}");
        assert!(html.contains("&lt;script&gt;") && html.starts_with("<h3>Probe</h3>"), "{html}");
    }

    #[test]
    fn links_lead_to_the_web_or_nowhere() {
        insta::assert_snapshot!(
            render("[a](https://example.com/?q=\"x) [b](javascript:alert(1)) [c](../x.md) ![d](http://x/y.png)"),
            @r#"<p><a href="https://example.com/?q=%22x">a</a> b c d</p>"#
        );
    }

    #[test]
    fn nothing_carries_a_style() {
        let html = render("| a | b |\n|:--|--:|\n| 1 | 2 |\n\n```rego\nx := 1\n```");
        assert!(html.contains("<table>") && !html.contains("style="), "{html}");
    }

    #[test]
    fn page_that_is_too_long_is_cut_between_characters() {
        let html = render(&"é".repeat(MAX_BYTES));
        assert!(html.len() <= MAX_BYTES + 16);
    }
}
