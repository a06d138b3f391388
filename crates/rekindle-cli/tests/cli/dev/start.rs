//! How it starts, what it refuses, and how it ends.

use std::net::TcpListener;

use super::Dev;
use crate::support::{Project, Running, rekindle, run, stderr};

fn project() -> Project {
    Project::new(&[("templates/index.html", "<h1>Hello</h1>")])
}

#[test]
fn the_address_is_told_and_a_signal_ends_it_well() {
    for signal in ["INT", "TERM"] {
        let project = project();
        let dev = Dev::start(project.root(), &[]);
        assert!(dev.address.starts_with("127.0.0.1:"), "{}", dev.address);
        dev.running.signal(signal);
        assert_eq!(dev.running.exit_code(), Some(0));
    }
}

#[test]
fn a_port_that_is_asked_for_and_taken_is_a_usage_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let project = project();
    let output = run(&["dev", project.root().to_str().unwrap(), "--port", &port]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains(&format!("port {port} is taken by another program")),
        "{}",
        stderr(&output)
    );
}

#[test]
fn the_next_free_port_is_taken_and_said() {
    // Whether it is this test or somebody else that has the port, it is taken.
    let _taken = TcpListener::bind("127.0.0.1:7878");
    let project = project();
    let mut command = rekindle(&["dev"]);
    command.arg(project.root());
    let running = Running::start(command);
    let line = std::iter::repeat_with(|| running.line()).find(|line| line.contains("http://")).unwrap();
    assert!(line.ends_with("(port 7878 is taken)"), "{line}");
    assert!(!line.contains(":7878/"), "{line}");
}

#[test]
fn a_directory_that_is_not_there_is_a_usage_error() {
    let output = run(&["dev", "/nowhere/at/all", "--port", "0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("/nowhere/at/all"), "{}", stderr(&output));
}

#[test]
fn an_upstream_that_makes_no_sense_is_a_usage_error() {
    for (url, why) in [
        ("https://localhost:3000", "TLS"),
        ("localhost:3000", "expected the address"),
        ("http://a/b", "leave the path away"),
    ] {
        let output = run(&["dev", "--proxy", url]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    }
}

#[test]
fn it_does_not_stand_in_front_of_itself() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let url = format!("http://localhost:{free}");
    let output = run(&["dev", "--port", &free, "--proxy", &url]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is this very program"), "{}", stderr(&output));
}
