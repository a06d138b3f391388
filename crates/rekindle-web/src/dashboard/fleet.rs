//! The fleet that a program is one of: how it is, and what people ask of it.

#[cfg(feature = "cluster")]
pub(super) use led::Fleet;
#[cfg(not(feature = "cluster"))]
pub(super) use none::Fleet;

use serde_json::{Value, json};

fn refused(kind: &str, message: &str) -> Value {
    json!({"ok": false, "rekindle": 1, "error": {"kind": kind, "message": message}})
}

fn no_fleet() -> Value {
    refused("not-found", "this program is not one of a fleet, as far as the dashboard has been told")
}

#[cfg(not(feature = "cluster"))]
mod none {
    use serde_json::Value;
    use tokio::sync::watch;

    /// There is none.
    #[derive(Debug, Clone, Default)]
    pub(in super::super) struct Fleet(());

    impl Fleet {
        #[allow(clippy::unused_self, reason = "as where there is one")]
        pub(in super::super) fn seen(&self) -> Option<watch::Receiver<Value>> {
            None
        }

        #[allow(clippy::unused_async, clippy::unused_self, reason = "as where there is one")]
        pub(in super::super) async fn ask(&self, _request: &Value) -> Value {
            super::no_fleet()
        }
    }
}

#[cfg(feature = "cluster")]
mod led {
    use std::time::Duration;

    use rekindle_cluster::{Client, ClusterStatus, Error};
    use serde_json::{Value, json};
    use tokio::sync::watch;

    use super::{no_fleet, refused};

    /// How often an open dashboard is told at the most: a thousand instances are one question, not a thousand.
    const PACE: Duration = Duration::from_millis(250);

    /// The fleet, if there is one.
    #[derive(Debug, Clone, Default)]
    pub(in super::super) struct Fleet(Option<Led>);

    #[derive(Debug, Clone)]
    struct Led {
        client: Client,
        seen: watch::Receiver<Value>,
    }

    impl Fleet {
        /// Follows it, as long as there is any clone of this.
        pub(in super::super) fn of(client: Client) -> Self {
            let unknown = json!({"trouble": "its store has not answered yet"});
            let (sender, seen) = watch::channel(unknown);
            tokio::spawn(follow(client.clone(), sender));
            Self(Some(Led { client, seen }))
        }

        /// How it is, as that changes.
        pub(in super::super) fn seen(&self) -> Option<watch::Receiver<Value>> {
            self.0.as_ref().map(|led| led.seen.clone())
        }

        /// Does what somebody asks for.
        pub(in super::super) async fn ask(&self, request: &Value) -> Value {
            let Some(Led { client, .. }) = &self.0 else { return no_fleet() };
            let reason = match request["reason"].as_str().map(str::trim) {
                None | Some("") => "by hand, on the dashboard",
                Some(reason) => reason,
            };
            let done = match request["action"].as_str() {
                Some("approve") => client.approve().await,
                Some("pause") => client.pause(reason).await,
                Some("abort") => client.abort(reason).await,
                _ => return refused("request", "`action` is approve, pause or abort"),
            };
            match done {
                Ok(head) => json!({"ok": true, "rekindle": 1, "head": head}),
                Err(error @ Error::Conflict(_)) => refused("conflict", &error.to_string()),
                Err(error) => refused("io", &error.to_string()),
            }
        }
    }

    async fn follow(client: Client, seen: watch::Sender<Value>) {
        let mut watch = client.watch();
        loop {
            let told = tokio::select! {
                told = watch.next() => told.map_or_else(|error| json!({"trouble": error.to_string()}), |status| whole(&status)),
                () = seen.closed() => return,
            };
            seen.send_if_modified(|known| {
                let is_new = *known != told;
                *known = told;
                is_new
            });
            tokio::time::sleep(PACE).await;
        }
    }

    fn whole(status: &ClusterStatus) -> Value {
        json!({
            "head": status.head, "instances": status.instances, "coordinator": status.coordinator,
            "trouble": status.trouble.as_ref().map(ToString::to_string),
        })
    }
}
