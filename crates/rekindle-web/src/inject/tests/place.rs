//! Where the tag goes, and that nothing else changes.

use proptest::prelude::*;

use super::*;

/// The place is marked with `@`; a page without one is left alone.
const PAGES: [&str; 60] = [
    "<!doctype html><html><head>@<title>t</title></head><body></body></html>",
    "<!DOCTYPE html>\n<HTML lang=en>\n<HEAD>@\n<script src=a.js></script></HEAD></HTML>",
    "<head>@</head>",
    "<head/>@<title>t</title>",
    "<head data-x='>' data-y=\"</head>\">@<meta charset=utf-8>",
    // The head is implied.
    "<!doctype html>@<title>t</title><p>x",
    "<!doctype html><html>@<body><p>x</body></html>",
    "<!doctype html><html lang=en>\n\n@<script>1</script><head></head>",
    "@<script src=app.js></script>",
    "@<p>a fragment",
    "x@<p>y</p>",
    "@<svg><head></head></svg>",
    "@<template><head></head></template><head></head>",
    "@<title><head></title><head></head>",
    "@<script>\"<head>\"</script>",
    "@<style><head></style>",
    "@<textarea><head></textarea>",
    "@<noscript><head></noscript>",
    "@<iframe srcdoc=\"<head></head>\"></iframe>",
    "@<math><mi></nß><W>",
    "@<frameset><frame></frameset>",
    "@<header>x</header>",
    "@<select><xmp><script>1</script></select>",
    "@<plaintext><head>",
    // What has no element.
    "@",
    "hello@",
    "a & b@",
    "a < b@",
    "1 <2@",
    "<!doctype html>\n@",
    "<!doctype html>hello@",
    "<html></html>@",
    "</p>@",
    "\u{feff}<!doctype html><html><head>@<title>t</title>",
    "\u{feff}hello@",
    // Comments, and what is taken for one.
    "<!-- <head> --><html><head>@</head>",
    "<!-- <head><!-- --><head>@",
    "<!--> <head>@ -->",
    "<!---><head>@ -->",
    "<!-- --!><head>@",
    "<!-- a <!doctype html> --><!doctype html><html><!-- b <head> --><head>@<!-- c -->",
    "<!doctype html><!--[if IE]><head><script></script><![endif]--><head>@<title>t</title>",
    "<?xml version='1.0'?><!doctype html><html><head>@",
    "<!-- only a comment -->@",
    // Cut off.
    "text@<!-- <head>",
    "text @<scr",
    "@<p title=\"<head>",
    "<html>@<head",
    "<!doctype html",
    "<!DOCTYPE",
    // After the head.
    "<html><head>@</head><body><head></head></body></html>",
    "<html><head>@text</head>",
    "<html><head>@ \n text",
    "<html><head>@<!-- c -->text",
    "<html><head>@<svg></svg></head>",
    // A tag is there.
    "<html><head><script src=\"/_rekindle/live.js?x\" defer></script></head></html>",
    "<html><head>\n <!-- c --><script nonce=n src='http://localhost:3000/_rekindle/live.js'></script></head></html>",
    "<script src=\"/_rekindle/live.js?x\" defer></script><p>x",
    "<html><head><title>t</title><script src=/_rekindle/live.js></script></head></html>",
    // It is only spoken of.
    "<html><head>@<title>/_rekindle/live.js</title></head><body><script src=/_rekindle/live.js></script>",
];

fn without_mark(marked: &str) -> String {
    marked.replace('@', "")
}

#[test]
fn the_tag_stands_where_the_parser_has_the_beginning_of_the_head() {
    for page in PAGES {
        assert_eq!(shown(&without_mark(page)), page);
    }
}

#[test]
fn the_tag_stands_at_the_same_place_however_the_page_is_cut() {
    for page in PAGES {
        let bare = without_mark(page);
        // Whether a tag is there further back in the head is known only as far as one can see.
        if bare.contains("<title>t</title><script src=/_rekindle") {
            continue;
        }
        for at in 0..=bare.len() {
            let (first, second) = bare.as_bytes().split_at(at);
            let body = chunked([first, second]);
            let out = bytes(apply(&navigation(&[]), TAG, html(body)).into_body());
            assert_eq!(String::from_utf8_lossy(&out).replace(TAG, "@"), page, "cut at {at}");
        }
        let body = chunked(bare.as_bytes().chunks(1));
        let out = bytes(apply(&navigation(&[]), TAG, html(body)).into_body());
        assert_eq!(String::from_utf8_lossy(&out).replace(TAG, "@"), page, "byte by byte");
    }
}

#[test]
fn the_doctype_stays_first() {
    for page in PAGES {
        let bare = without_mark(page);
        if bare.to_ascii_lowercase().starts_with("<!doctype") {
            assert_eq!(shown(&bare).find("<!"), Some(0), "{bare}");
        }
    }
}

#[test]
fn bytes_that_are_not_utf_8_pass_unchanged() {
    let page = b"\xe9<!-- \xff --><html t=\xc3><head x=\xe9\xe8><title>\xa4</title></head>\x80\xff";
    let out = injected(page);
    let at = page.windows(7).position(|it| it == b"<title>").unwrap();
    assert_eq!(out, [&page[..at], TAG.as_bytes(), &page[at..]].concat());
}

#[test]
fn characters_of_two_bytes_are_not_taken_for_markup() {
    // Shift_JIS, whose second bytes lie in ASCII: 0x5c and 0x7c among them.
    let page = b"<html><!-- \x83\x5c\x83\x7c --><head><title>\x83\x5c</title></head>";
    let response = response(&[("content-type", "text/html; charset=Shift_JIS")], page.to_vec());
    let out = bytes(apply(&navigation(&[]), TAG, response).into_body());
    assert_eq!(out, [&page[..25], TAG.as_bytes(), &page[25..]].concat().as_slice()[..], "{out:?}");
}

#[test]
fn utf_16_is_left_alone() {
    let page: Vec<u8> = "\u{feff}<html><head></head>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(injected(&page), page);
    let bytewise = apply(&navigation(&[]), TAG, html(chunked(page.chunks(1))));
    assert_eq!(bytes(bytewise.into_body()), page);
    for charset in ["utf-16le", "UTF-16", "iso-2022-jp", "\"utf-16be\""] {
        let content_type = format!("text/html; charset={charset}");
        let response = response(&[("content-type", &content_type)], "<head></head>");
        assert_eq!(bytes(apply(&navigation(&[]), TAG, response).into_body()), "<head></head>", "{charset}");
    }
}

#[test]
fn a_comment_too_long_to_be_kept_passes_and_ends_the_search() {
    let page = format!("<!doctype html><!-- {} --><html><head></head></html>", "x".repeat(1 << 20));
    let out = bytes(apply(&navigation(&[]), TAG, html(chunked(page.as_bytes().chunks(4096)))).into_body());
    assert_eq!(out, page);
}

#[test]
fn a_long_comment_in_one_piece_hides_nothing() {
    let comment = "x".repeat(1 << 20);
    let page = format!("<!doctype html><!-- {comment} --><html><head>@</head></html>");
    assert!(shown(&without_mark(&page)) == page);
}

#[test]
fn xhtml_gets_a_tag_that_is_well_formed_and_only_in_a_head() {
    let cases = [
        "<?xml version=\"1.0\"?><!DOCTYPE html><html xmlns=\"http://www.w3.org/1999/xhtml\"><head>@<title/></head></html>",
        "<html xmlns=\"http://www.w3.org/1999/xhtml\"><head/><body/></html>",
        "<html xmlns=\"http://www.w3.org/1999/xhtml\"><body/></html>",
        "<h:html xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:head></h:head></h:html>",
        "<p xmlns=\"http://www.w3.org/1999/xhtml\"><head></head></p>",
        "",
    ];
    for page in cases {
        let response = response(&[("content-type", "application/xhtml+xml")], without_mark(page));
        let out = bytes(apply(&navigation(&[]), TAG, response).into_body());
        let tag = TAG.replace(" defer", " defer=\"\"");
        assert_eq!(String::from_utf8_lossy(&out).replace(&tag, "@"), page);
    }
}

#[test]
fn what_a_script_fetches_gets_a_tag_only_if_it_is_a_whole_document() {
    let cases = [
        "<!doctype html>@<title>t</title>",
        "<!doctype html>@",
        "<html>@<p>x",
        "<head>@<title>t</title>",
        "@<body><p>x",
        "<p>x",
        "<title>t</title><p>x",
        "<script>1</script><html><head>",
        "text",
        "<tr><td>1</td></tr>",
        "",
    ];
    let (wish, _) = request(&[("sec-fetch-dest", "empty")]);
    for page in cases {
        for size in [1, 7, 1000] {
            let body = chunked(without_mark(page).as_bytes().chunks(size));
            let out = bytes(apply(&wish, TAG, html(body)).into_body());
            assert_eq!(String::from_utf8_lossy(&out).replace(TAG, "@"), page);
        }
    }
}

#[test]
fn an_answer_that_got_a_tag_gets_no_second() {
    let once = apply(&navigation(&[]), TAG, html("<title>t</title>"));
    let twice = apply(&navigation(&[]), TAG, once);
    assert_eq!(bytes(twice.into_body()).windows(8).filter(|it| it == b"live.js?").count(), 1);

    let through_a_proxy = shown("<title>t</title>").replace('@', TAG);
    assert_eq!(injected(through_a_proxy.as_bytes()), through_a_proxy.as_bytes());
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "<!doctype html>",
        "<html>",
        "<html lang='a>b'>",
        "<head>",
        "</head>",
        "<HEAD >",
        "<body>",
        "<!--",
        "-->",
        "<!",
        "<?x>",
        "<title>",
        "</title>",
        "<script>",
        "</script>",
        "<svg>",
        "</svg>",
        "<math>",
        "<mi>",
        "</nß>",
        "<select>",
        "<template>",
        "<meta charset=utf-8>",
        "<![CDATA[",
        "]]>",
        "<p",
        " a='",
        "'",
        "\"",
        ">",
        "<",
        "/",
        "&",
        " ",
        "\n",
        "x",
        "é",
        "\u{feff}",
        "<frameset>",
        "<plaintext>",
        "<annotation-xml>",
        "<style>",
        "<link rel=stylesheet>",
        "<noscript>",
        "</",
    ];
    let word = prop::sample::select(words.map(|it| it.as_bytes().to_vec()).to_vec());
    let any = prop::collection::vec(any::<u8>(), 0..4);
    prop::collection::vec(prop_oneof![12 => word, 1 => any], 0..24).prop_map(|parts| parts.concat())
}

/// The page cut at these places, as shares of its length.
fn cut<'p>(page: &'p [u8], cuts: &[prop::sample::Index]) -> Vec<&'p [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(page.len() + 1)).collect();
    at.sort_unstable();
    at.push(page.len());
    let starts = std::iter::once(0).chain(at.clone());
    starts.zip(at.clone()).map(|(start, end)| &page[start..end]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_page_cut_anywhere_comes_out_with_a_tag_and_otherwise_unchanged(
        page in pieces(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = injected(&page);
        let body = chunked(cut(&page, &cuts));
        let out = bytes(apply(&navigation(&[]), TAG, html(body)).into_body());
        prop_assert_eq!(&out[..], &whole[..], "how it is cut makes no difference");

        let tags = out.windows(TAG.len()).filter(|it| *it == TAG.as_bytes()).count();
        prop_assert!(tags <= 1);
        if let Some(at) = out.windows(TAG.len()).position(|it| it == TAG.as_bytes()) {
            prop_assert_eq!([&out[..at], &out[at + TAG.len()..]].concat(), page);
        } else {
            prop_assert_eq!(&out[..], &page[..]);
        }
    }
}
