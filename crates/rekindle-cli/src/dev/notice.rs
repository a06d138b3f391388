//! Pages of this program's own: what is to be said in, a whole HTML page out.
//!
//! Pure. They have a `<head>`, so that the client is put in, and turn into the page that was asked for
//! as soon as there is one.

use super::pages;

/// How many pages are listed.
const LISTED: usize = 40;

const STYLE: &str = include_str!("notice.css");

/// That there is nothing at an address, and what there is.
pub(super) fn nothing_here(path: &str, missing: &str, pages: &[String]) -> String {
    let mut body = format!("<h1>Nothing is at <code>{}</code></h1>\n", escaped(path));
    body += &format!("<p>{missing} As soon as you save it, this page shows it.</p>\n");
    body += &list(pages);
    page("Not found", &body)
}

/// Where a page would have to be.
pub(super) fn where_it_would_be(path: &str, below: &str) -> String {
    let names = pages::names(path).filter(|names| !names.is_empty());
    let file = |name: &str| format!("<code>{}</code>", escaped(&format!("{below}{name}")));
    match names.map(|names| names.join("/")) {
        None if path == "/" => format!("It would be {}.", file("index.html")),
        None => "No page can have this address.".to_owned(),
        Some(name) if name.rsplit('/').next().is_some_and(|last| last.contains('.')) => {
            format!("It would be {}.", file(&name))
        }
        Some(name) => {
            format!(
                "It would be {} or {}.",
                file(&format!("{name}.html")),
                file(&format!("{name}/index.html"))
            )
        }
    }
}

fn list(pages: &[String]) -> String {
    if pages.is_empty() {
        return "<p>There is no page yet.</p>\n".to_owned();
    }
    let link = |page: &String| {
        let address = pages::address_of(page);
        format!("<li><a href=\"{0}\">{0}</a> <small>{1}</small></li>\n", escaped(&address), escaped(page))
    };
    let links: String = pages.iter().take(LISTED).map(link).collect();
    let more = match pages.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!("<p>and {more} more</p>\n"),
    };
    format!("<h2>Pages that exist</h2>\n<ul>\n{links}</ul>\n{more}")
}

/// That the server behind `--proxy` does not answer.
pub(super) fn upstream_is_down(upstream: &str, why: &str) -> String {
    let upstream = escaped(upstream);
    let body = format!(
        "<h1>Waiting for <code>{upstream}</code></h1>\n<p>The server behind <code>--proxy</code> does not answer: \
         {}.</p>\n<p>Start it. It is asked every quarter of a second, and this page turns into its page by itself.</p>\n\
         <p class=\"waiting\" aria-hidden=\"true\"></p>\n",
        escaped(why)
    );
    page("Waiting for the server", &body)
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{body}</main>\n<footer>rekindle dev</footer>\n</body>\n</html>\n",
        escaped(title)
    )
}

/// A text as the content of an element or of a quoted attribute.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_write_on_the_page() {
        let page = nothing_here(
            "/<script>alert(1)</script>",
            &where_it_would_be("/%3Cscript%3E", "templates/"),
            &[],
        );
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
        assert!(!upstream_is_down("http://<b>", "\"'&").contains("<b>"));
    }

    #[test]
    fn a_missing_page_is_told_with_its_file_and_those_that_exist() {
        let page = nothing_here(
            "/abuot",
            &where_it_would_be("/abuot", "templates/"),
            &["about.html".into(), "index.html".into()],
        );
        for part in
            ["templates/abuot.html", "templates/abuot/index.html", "<a href=\"/about\">", "<a href=\"/\">"]
        {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert_eq!(where_it_would_be("/feed.xml", ""), "It would be <code>feed.xml</code>.");
        assert_eq!(where_it_would_be("/../x", ""), "No page can have this address.");
    }

    #[test]
    fn a_long_list_is_cut_short() {
        let pages: Vec<String> = (0..50).map(|n| format!("p{n}.html")).collect();
        assert!(nothing_here("/x", "", &pages).contains("and 10 more"));
    }
}
