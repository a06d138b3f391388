//! [`example`]: the example of a framework.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rekindle_test::{LIMIT, Site};

/// Starts a program that serves `examples/site`, on a copy of it, asks for all that there is, and saves some of it.
///
/// # Panics
///
/// When anything is not as it has to be.
pub fn example(program: &str, site: &str) {
    let copy = Site::new();
    copy_into(Path::new(site), copy.root());
    let example = Example::start(program, copy.root());

    let page = example.get("/");
    assert!(page.contains("<title>Kindling</title>") && page.contains("/_rekindle/live.js?"), "{page}");
    for (kind, end) in [("text/css", "app."), ("image/svg+xml", "fire.")] {
        let address = page.split('"').find(|part| part.starts_with(&format!("/static/{end}")));
        let answer = example.get(address.expect("the page uses it"));
        assert!(answer.contains(&format!("content-type: {kind}")), "{answer}");
        assert!(answer.contains("immutable"), "{answer}");
    }
    assert!(example.get("/how").contains("<h1>The smallest step"));
    assert!(example.get("/hello?name=Ada+%3Cb%3E").contains("Hello, Ada &lt;b&gt;"));
    assert!(example.get("/none").starts_with("HTTP/1.1 404"));
    assert!(example.get("/_rekindle/").starts_with("HTTP/1.1 200"));

    edit(&copy, "config/site.toml", "Kindling", "Renamed");
    example.wait_for("/hello", "<title>Say hello · Renamed</title>");
    edit(&copy, "templates/partials/header.html", "<header>", "<header class=\"new\">");
    example.wait_for("/how", "<header class=\"new\">");
    let before = copy.read("templates/index.html");
    copy.write("templates/index.html", "{% if %}");
    assert!(example.get("/").contains("<h2>Things to try</h2>"), "the last good one is shown");
    copy.write("templates/index.html", &before.replace("Things to try", "Things done"));
    example.wait_for("/", "<h2>Things done</h2>");
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the directory is there") {
        let entry = entry.expect("it can be read");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&to).expect("it can be made");
            copy_into(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("it can be copied");
        }
    }
}

fn edit(site: &Site, file: &str, from: &str, to: &str) {
    let text = site.read(file);
    assert!(text.contains(from), "{file} is another one by now");
    site.replace(file, &text.replace(from, to));
}

/// A running example, which ends with this.
struct Example {
    process: Child,
    address: String,
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _status = self.process.wait();
    }
}

impl Example {
    fn start(program: &str, directory: &Path) -> Self {
        let mut command = Command::new(program);
        command.arg(directory).env("PORT", "0").stdout(Stdio::piped());
        let mut example = Self { process: command.spawn().expect("it is built"), address: String::new() };
        let mut line = String::new();
        let said = example.process.stdout.take().expect("it is piped");
        BufReader::new(said).read_line(&mut line).expect("it says its address");
        example.address = line.trim().strip_prefix("http://").expect("an address").to_owned();
        example
    }

    /// A whole answer, with its head. The name of no header is in capitals.
    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it is there");
        stream.set_read_timeout(Some(LIMIT)).expect("it can be set");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address)
            .expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("a whole answer in time");
        answer
    }

    /// Asks again and again, as somebody would who has no live reload.
    fn wait_for(&self, path: &str, what: &str) {
        let start = Instant::now();
        let mut page = self.get(path);
        while !page.contains(what) {
            assert!(start.elapsed() < LIMIT, "{what} does not come: {page}");
            page = self.get(path);
        }
    }
}
