//! The page that is shown when nothing can be rendered. Pure: problems in, HTML out.

use std::fmt::Write;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

use crate::{Body, FrameLine, Problem};

const STYLE: &str = include_str!("page.css");

/// The page as an answer.
pub(crate) fn response(problems: &[Problem]) -> Response<Body> {
    let mut response = Response::new(Body::from(page(problems)));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A whole page, without the client's tag: that is put into it like into any other.
fn page(problems: &[Problem]) -> String {
    let title = problems.first().map_or("Nothing is wrong any more", |first| &first.title);
    let sections: String = problems.iter().map(section).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\" data-rekindle=\"error\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<h1>This page cannot be shown</h1>\n<p>It comes by itself once what is below is mended and saved.</p>\n\
         </header>\n{sections}</main>\n</body>\n</html>\n",
        title = escaped(title),
    )
}

fn section(problem: &Problem) -> String {
    let place = place(problem).map(|place| format!("<p class=\"place\">{}</p>\n", escaped(&place)));
    let frame = (!problem.frame.is_empty()).then(|| frame(&problem.frame));
    let chain = (!problem.chain.is_empty()).then(|| {
        format!("<p class=\"chain\">reached by way of {}</p>\n", escaped(&problem.chain.join(" → ")))
    });
    format!(
        "<section>\n<h2>{}</h2>\n{}<p class=\"message\">{}</p>\n{}{}</section>\n",
        escaped(&problem.title),
        place.unwrap_or_default(),
        escaped(&problem.message),
        frame.unwrap_or_default(),
        chain.unwrap_or_default(),
    )
}

fn place(problem: &Problem) -> Option<String> {
    let numbers = [problem.line, problem.column].into_iter().flatten();
    let file = problem.file.clone()?;
    Some(numbers.fold(file, |place, number| format!("{place}:{number}")))
}

fn frame(lines: &[FrameLine]) -> String {
    let mut html = String::from("<pre>");
    for line in lines {
        let class = if line.marked.is_some() { " class=\"at\"" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(html, "<span{class}><i>{}</i>{}</span>", line.number, marked(line));
    }
    html + "</pre>\n"
}

/// The text of a line, with what is pointed at in a mark.
fn marked(line: &FrameLine) -> String {
    let Some((start, end)) = line.marked else { return escaped(&line.text) };
    let piece = |from: usize, to: usize| {
        escaped(&line.text.chars().skip(from).take(to.saturating_sub(from)).collect::<String>())
    };
    let (start, end) = (start.saturating_sub(1), end.saturating_sub(1));
    let within = piece(start, end);
    // The end of a line has a place as well.
    let within = if within.is_empty() { "&nbsp;" } else { &within };
    format!("{}<mark>{within}</mark>{}", piece(0, start), piece(end, usize::MAX))
}

/// For text and quoted attributes.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(one),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_text_is_escaped() {
        let mut problem = Problem::new("template:a", "<Template> error", "\"<script>alert(1)</script>\"");
        problem.file = Some("templates/<a>.html".into());
        problem.frame = vec![FrameLine { number: 3, text: "<b>&'".into(), marked: Some((2, 3)) }];
        problem.chain = vec!["<c>".into()];
        let page = page(&[problem]);
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("<i>3</i>&lt;<mark>b</mark>&gt;&amp;&#39;"), "{page}");
        assert!(page.contains("reached by way of &lt;c&gt;"), "{page}");
    }

    #[test]
    fn the_end_of_a_line_can_be_pointed_at() {
        let line = FrameLine { number: 1, text: "a = ".into(), marked: Some((5, 6)) };
        assert_eq!(marked(&line), "a = <mark>&nbsp;</mark>");
    }

    #[test]
    fn it_says_where() {
        let mut problem = Problem::new("config:app", "Configuration error", "no");
        (problem.file, problem.line, problem.column) = (Some("config/app.toml".into()), Some(3), Some(7));
        assert!(page(&[problem]).contains("<p class=\"place\">config/app.toml:3:7</p>"));
    }
}
