//! What can be asked of `rekindle dev`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use rekindle::{HotReload, HotReloadBuilder};

use super::proxy::Upstream;
use crate::args::{every_format, milliseconds};

/// Of `rekindle dev`.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// The directory with templates/, static/ and config/; one with none of them is served as plain files.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Listen on this port and no other; 0 for any that is free [default: 7878, or the next free one]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Listen on this address; 0.0.0.0 for all of this machine's
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) host: IpAddr,
    /// Also answer browsers that reach this machine by this name or address, repeatable.
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    pub(crate) allow_host: Vec<String>,
    /// Open it in the browser.
    #[arg(long)]
    pub(crate) open: bool,
    /// Put live reload in front of another server; the files of DIR are then only watched.
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<Upstream>,
    /// The environment whose layer of the configurations applies. Default: the first of WORKSPACE_ENV,
    /// APP_ENV, ENVIRONMENT and ENV that is set, else development.
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Look at the files every MS milliseconds (at least 10, 500 if left out) instead of asking the system.
    #[arg(long, value_name = "MS", num_args = 0..=1, default_missing_value = "500", value_parser = milliseconds)]
    pub(crate) poll: Option<Duration>,
}

impl DevArgs {
    /// An engine that watches these files beside the configurations.
    pub(super) fn builder(&self, files: &[&str], left_out: &[&str]) -> HotReloadBuilder {
        let mut patterns = every_format();
        patterns.extend(files.iter().map(ToString::to_string));
        let mut exclude = rekindle::HotReloadConfig::default().exclude_patterns;
        exclude.extend(left_out.iter().map(ToString::to_string));
        // Who only shows leaves nothing behind.
        let mut builder = HotReload::builder(&self.dir).watch(patterns).exclude(exclude).history(false);
        if let Some(environment) = &self.env {
            builder = builder.environment(environment);
        }
        if let Some(interval) = self.poll {
            builder = builder.poll(interval);
        }
        builder
    }
}

/// A name as it stands in an address bar, without what is not part of it.
fn host_name(text: &str) -> Result<String, String> {
    let is_address = text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    let is_name =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if is_address || is_name {
        return Ok(text.to_ascii_lowercase());
    }
    Err("expected a name or an address alone, such as laptop.local or 192.168.1.5".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_alone() {
        for good in ["laptop.local", "192.168.1.5", "::1", "[fe80::1]", "Laptop"] {
            assert_eq!(host_name(good), Ok(good.to_lowercase()));
        }
        for bad in ["", "http://laptop", "laptop:80", "a/b", "*"] {
            assert!(host_name(bad).is_err(), "{bad}");
        }
    }
}
