//! What is served as it is: the page, its stylesheet and its scripts.

/// The type of the page.
pub(super) const HTML: &str = "text/html; charset=utf-8";

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// A file of the page.
#[derive(Debug)]
pub struct File {
    /// Below `/_rekindle/`.
    pub(super) name: &'static str,
    pub(super) mime: &'static str,
    pub(super) content: &'static str,
}

macro_rules! file {
    ($mime:ident, $name:literal) => {
        File { name: $name, mime: $mime, content: include_str!(concat!("page/", $name)) }
    };
}

/// All of them.
pub(super) const FILES: &[File] = &[
    file!(CSS, "dashboard.css"),
    file!(CSS, "dashboard/above.css"),
    file!(CSS, "dashboard/changes.css"),
    file!(CSS, "dashboard/configs.css"),
    file!(CSS, "dashboard/fleet.css"),
    file!(CSS, "dashboard/reloads.css"),
    file!(CSS, "dashboard/summary.css"),
    file!(JS, "dashboard.js"),
    file!(JS, "dashboard/api.js"),
    file!(JS, "dashboard/browsers.js"),
    file!(JS, "dashboard/changes.js"),
    file!(JS, "dashboard/chart.js"),
    file!(JS, "dashboard/configs.js"),
    file!(JS, "dashboard/diff.js"),
    file!(JS, "dashboard/dom.js"),
    file!(JS, "dashboard/fleet.js"),
    file!(JS, "dashboard/lead.js"),
    file!(JS, "dashboard/problems.js"),
    file!(JS, "dashboard/reloads.js"),
    file!(JS, "dashboard/restore.js"),
    file!(JS, "dashboard/scale.js"),
    file!(JS, "dashboard/summary.js"),
    file!(JS, "dashboard/tip.js"),
    file!(JS, "dashboard/words.js"),
];

/// The page, with the token for its script.
pub(super) fn page(token: &str) -> String {
    include_str!("page/dashboard.html").replace("{token}", &escaped(token))
}

/// As the value of an attribute in double quotes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_cannot_leave_its_attribute() {
        assert!(page("a\"><script>").contains("content=\"a&quot;>&lt;script>\""));
    }

    #[test]
    fn every_file_that_is_imported_is_served() {
        for file in FILES.iter().filter(|file| file.mime == JS) {
            let directory = file.name.rsplit_once('/').map_or("", |(directory, _)| directory);
            for import in file.content.split(" from '").skip(1).filter_map(|rest| rest.split('\'').next()) {
                let name = format!("{directory}/{}", import.trim_start_matches("./"));
                let name = name.trim_start_matches('/');
                assert!(FILES.iter().any(|file| file.name == name), "{} imports {name}", file.name);
            }
        }
    }
}
