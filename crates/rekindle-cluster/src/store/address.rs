//! The part of an address behind the name of its store: `HOST:PORT,HOST:PORT/PREFIX`. Pure.

/// The servers, each with `https://` or the like before it where that is said, and the prefix if there is one.
pub(super) fn split(address: &str) -> (Vec<String>, Option<&str>) {
    let address = address.strip_prefix("//").unwrap_or(address);
    let (mut servers, mut rest) = (Vec::new(), address);
    loop {
        // The slashes of a scheme are not the one before the prefix.
        let host = rest.find("://").filter(|at| !rest[..*at].contains([',', '/'])).map_or(0, |at| at + 3);
        let end = rest[host..].find([',', '/']).map_or(rest.len(), |at| host + at);
        if !rest[host..end].is_empty() {
            servers.push(rest[..end].to_owned());
        }
        match rest[end..].split_at_checked(1) {
            Some((",", more)) => rest = more,
            Some((_, prefix)) => return (servers, Some(prefix.trim_end_matches('/'))),
            None => return (servers, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_stand_before_the_prefix() {
        let said = |address| {
            let (servers, prefix) = split(address);
            (servers.join(" "), prefix)
        };
        assert_eq!(said("a:1"), ("a:1".to_owned(), None));
        assert_eq!(said("//a:1,b:2/shop/"), ("a:1 b:2".to_owned(), Some("shop")));
        assert_eq!(said("https://a:1,https://b:2/x/y"), ("https://a:1 https://b:2".to_owned(), Some("x/y")));
        assert_eq!(said("a:1,tls://b:2"), ("a:1 tls://b:2".to_owned(), None));
        assert_eq!(said("tls://[::1]:2/x"), ("tls://[::1]:2".to_owned(), Some("x")));
        assert_eq!(said("a:1/x?replicas=3"), ("a:1".to_owned(), Some("x?replicas=3")));
        assert_eq!(said(",/"), (String::new(), Some("")));
        assert_eq!(said("https:///x"), (String::new(), Some("x")));
        assert_eq!(said(""), (String::new(), None));
    }
}
