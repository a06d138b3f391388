//! Lets the client run under a page's own content security policy, and nothing else that the policy refuses.
//!
//! What is allowed beyond the policy: the client's two scripts by their exact paths, connections to the page's own origin
//! (the page itself is fetched when it has changed), and the same origin's WebSockets, which `'self'` does not cover in
//! older browsers, and the client's own policy of trusted types. Where a directive that falls back is missing it is added with what it would have fallen back to, so that
//! nothing else changes.

mod meta;
mod policy;

use http::header::{CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY, HeaderName};
use http::{HeaderMap, HeaderValue};

use super::tag::Tag;
use policy::{Directive, Policy};

const SCRIPT: [&str; 3] = ["script-src-elem", "script-src", "default-src"];
const WORKER: [&str; 4] = ["worker-src", "child-src", "script-src", "default-src"];
const CONNECT: [&str; 2] = ["connect-src", "default-src"];
const TRUSTED_TYPES: &str = "trusted-types";

/// The policy of trusted types that `client/trusted.js` makes.
const TRUSTED_POLICY: &str = "rekindle";

/// What the client needs, as source expressions.
#[derive(Debug, Clone)]
pub(super) struct Needs {
    script: String,
    worker: String,
    connect: Vec<String>,
}

impl Needs {
    /// With an unknown host the origin stands for the exact address: `'self'` needs no name.
    pub(super) fn new(tag: &Tag, host: Option<&str>) -> Self {
        let script = tag.path();
        let worker = script.rsplit_once('/').map(|(directory, _)| format!("{directory}/worker.js"));
        let exact = |path: &str| host.filter(|_| is_plain_path(path)).map(|host| format!("{host}{path}"));
        let own_origin = || "'self'".to_owned();
        let sockets = host.map(|host| [format!("ws://{host}"), format!("wss://{host}")]);
        Self {
            script: exact(script).unwrap_or_else(own_origin),
            worker: worker.as_deref().and_then(exact).unwrap_or_else(own_origin),
            connect: std::iter::once(own_origin()).chain(sockets.into_iter().flatten()).collect(),
        }
    }

    /// The content of a `<meta>` policy, both ways as it is written in HTML; `None` if it may stay as it is.
    ///
    /// The tag comes before it, and so is not under it: only what the client does later is.
    pub(super) fn extend_meta(&self, content: &str) -> Option<String> {
        let text = meta::decode(content)?;
        let mut policy = Policy::parse(&text);
        let before = policy.clone();
        self.extend(&mut policy, None);
        (policy != before).then(|| meta::encode(&policy.to_string(), content))
    }

    fn extend(&self, policy: &mut Policy, nonce: Option<&str>) {
        // First, since it falls back to the scripts'.
        self.extend_worker(policy);
        self.extend_connect(policy);
        self.extend_script(policy, nonce);
        extend_trusted_types(policy);
    }

    fn extend_worker(&self, policy: &mut Policy) {
        let Some(effective) = policy.effective(&WORKER) else { return };
        // Scripts that are trusted may start workers, which a directive of its own would end.
        let trusted = effective.lists("'strict-dynamic'") && !effective.is("worker-src");
        if !(trusted || effective.allows_own_origin()) {
            let places = effective.places();
            policy.get_or_add("worker-src", places).allow(&self.worker);
        }
    }

    fn extend_connect(&self, policy: &mut Policy) {
        let Some(effective) = policy.effective(&CONNECT) else { return };
        let places = effective.places();
        let connect = policy.get_or_add("connect-src", places);
        for source in &self.connect {
            connect.allow(source);
        }
    }

    fn extend_script(&self, policy: &mut Policy, nonce: Option<&str>) {
        let Some(effective) = policy.effective(&SCRIPT) else { return };
        if nonce.is_some_and(|nonce| effective.nonces().any(|it| it == nonce)) {
            return;
        }
        let strict = effective.lists("'strict-dynamic'");
        let source = match nonce {
            Some(nonce) if strict => format!("'nonce-{nonce}'"),
            _ if strict || effective.allows_own_origin() => return,
            _ => self.script.clone(),
        };
        // Not to the default, which is that of styles and all else, too.
        let name = if effective.is("script-src-elem") { "script-src-elem" } else { "script-src" };
        let sources = effective.sources().to_vec();
        policy.get_or_add(name, sources).allow(&source);
    }
}

/// Whoever may make policies is listed, or else all may.
fn extend_trusted_types(policy: &mut Policy) {
    if policy.get(TRUSTED_TYPES).is_some_and(|listed| !listed.lists("*")) {
        policy.get_or_add(TRUSTED_TYPES, Vec::new()).allow(TRUSTED_POLICY);
    }
}

/// Whether a path can be written in a source expression as it is.
fn is_plain_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b))
}

/// Extends the policies of an answer; gives the nonce that the tag is to have, if any.
///
/// `fresh` makes a nonce for a policy with `'strict-dynamic'` and none of its own: there it is the only way in, and
/// inline scripts are not affected, since they need a nonce or a hash already.
///
/// # Errors
///
/// The page is to be left alone, for the reason given: no script can run in it that could reach this server.
pub(super) fn extend_headers(
    headers: &mut HeaderMap,
    needs: &Needs,
    fresh: impl FnOnce() -> Option<String>,
) -> Result<Option<String>, &'static str> {
    let mut enforced = read(headers, &CONTENT_SECURITY_POLICY)?;
    let mut reported = read(headers, &CONTENT_SECURITY_POLICY_REPORT_ONLY)?;
    if enforced.iter().flatten().any(is_shut_off) {
        return Err("its policy puts it into a sandbox");
    }
    let nonce = choose_nonce(enforced.iter().chain(&reported).flatten(), fresh)?;
    for policy in enforced.iter_mut().chain(&mut reported).flatten() {
        needs.extend(policy, nonce.as_deref());
    }
    write(headers, &CONTENT_SECURITY_POLICY, &enforced);
    write(headers, &CONTENT_SECURITY_POLICY_REPORT_ONLY, &reported);
    Ok(nonce)
}

/// The policies of each header of that name.
fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Vec<Vec<Policy>>, &'static str> {
    let values = headers.get_all(name).iter();
    let lists = values.map(|value| value.to_str().map(Policy::parse_list));
    lists.collect::<Result<_, _>>().map_err(|_| "its policy is not text")
}

fn write(headers: &mut HeaderMap, name: &HeaderName, lists: &[Vec<Policy>]) {
    headers.remove(name);
    for list in lists {
        let policies: Vec<String> = list.iter().map(Policy::to_string).collect();
        if let Ok(value) = HeaderValue::try_from(policies.join(", ")) {
            headers.append(name, value);
        }
    }
}

/// Whether scripts do not run, or run as nobody: no socket would be opened to the origin "null".
fn is_shut_off(policy: &Policy) -> bool {
    let open = |sandbox: &Directive| sandbox.lists("allow-scripts") && sandbox.lists("allow-same-origin");
    policy.get("sandbox").is_some_and(|sandbox| !open(sandbox))
}

/// The page's own nonce, rather of a policy that lets nothing else in; one is made if such a policy has none.
fn choose_nonce<'p>(
    policies: impl Iterator<Item = &'p Policy>,
    fresh: impl FnOnce() -> Option<String>,
) -> Result<Option<String>, &'static str> {
    let scripts: Vec<&Directive> = policies.filter_map(|policy| policy.effective(&SCRIPT)).collect();
    let strict: Vec<&Directive> = scripts.iter().copied().filter(|it| it.lists("'strict-dynamic'")).collect();
    let mut own = strict.iter().chain(&scripts).flat_map(|directive| directive.nonces());
    match own.next() {
        Some(nonce) => Ok(Some(nonce.to_owned())),
        None if strict.is_empty() => Ok(None),
        None => {
            fresh().map(Some).ok_or("its policy asks for a nonce, and there is no randomness to make one")
        }
    }
}

#[cfg(test)]
mod tests;
