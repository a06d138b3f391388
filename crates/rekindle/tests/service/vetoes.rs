//! A new one that does not come to serve refuses the change, and the old one knows nothing of it.

use std::sync::Arc;
use std::time::Duration;

use rekindle::prelude::*;
use rekindle::service::Supervisor;

use crate::kit::*;

#[tokio::test]
async fn one_that_cannot_be_built_or_become_ready_refuses_the_change_and_says_why() {
    let limit = |supervisor: Supervisor<Chain>| supervisor.ready_within(Duration::from_millis(200));
    let mut street = Street::open_with(&shop("a", ""), limit).await;
    let serving = street.shop.load_full();
    let whole = "config/app.toml:2:1: the handler shop refused it: ";
    let faults = [
        ("build", "config/app.toml:3:8: the handler shop refused it: no room".to_owned(), false),
        ("panic", format!("{whole}it panicked: the roof fell"), false),
        ("not ready", format!("{whole}the shelves are empty"), true),
        ("panics in ready", format!("{whole}it panicked: the door jams"), true),
        ("never ready", format!("{whole}it was not ready within 200ms"), true),
    ];
    for (fault, said, was_built) in faults {
        street.log.take();
        assert_eq!(street.refused(&shop("b", fault)).await, said);
        let stops: &[&str] = if was_built { &["builds b", "stops b"] } else { &["builds b"] };
        assert_eq!(street.log.all(), stops, "{fault}: the old one is told nothing");
        assert!(Arc::ptr_eq(&serving, &street.shop.load_full()));
        assert_eq!(
            (serving.serve(), street.shop.generation()),
            (serving.shared.cache.lock().unwrap().len() as u64, 1)
        );
    }
    assert!(street.save(&shop("c", "")).await.is_applied());
    street.retired().await;
    assert_eq!(street.shop.load().plan.name, "c");
    assert_eq!(street.shop.load().serve(), 6, "what was refused cost nothing of the state");
}

#[tokio::test]
async fn one_that_overruns_the_time_of_all_handlers_is_stopped() {
    let (site, manager) =
        engine_with(&shop("a", ""), |builder| builder.time_limit(Duration::from_millis(300))).await;
    let mut street = Street::open_on(site, manager, |supervisor| supervisor).await;
    let said = street.refused(&shop("b", "never ready")).await;
    assert!(said.ends_with("the handler shop refused it: it was not ready before the deadline"), "{said}");
    street.log.until("stops b").await;
    assert_eq!(street.shop.load().plan.name, "a");
}

#[tokio::test]
async fn a_part_of_another_type_is_refused_before_anything_is_built() {
    let mut street = Street::open(&shop("a", "")).await;
    street.log.take();
    let said = street.refused("[shop]\nname = 7\n").await;
    assert!(said.starts_with("config/app.toml:2:8: invalid type: integer `7`, expected a string"), "{said}");
    assert_eq!(street.log.all(), [""; 0]);
}

#[tokio::test]
async fn one_that_was_built_in_vain_is_stopped_without_a_drain() {
    let mut street = Street::open(&shop("a", "")).await;
    struct Refuses;
    #[async_trait]
    impl ReloadHandler for Refuses {
        async fn prepare(&self, _candidate: &Candidate) -> Result<()> {
            Err("not today".into())
        }
        async fn handle_change(&self, _event: ChangeEvent) -> Result<()> {
            Ok(())
        }
        fn can_handle(&self, event: &ChangeEvent) -> bool {
            matches!(event, ChangeEvent::ConfigChanged { new_value, .. } if new_value["shop"]["name"] == "b")
        }
    }
    street.manager.register(Registration::new(Refuses).named("censor").after("shop")).expect("a handler");
    street.log.take();
    let said = street.refused(&shop("b", "")).await;
    assert!(said.ends_with("the handler censor refused it: not today"), "{said}");
    assert_eq!(street.log.all(), ["builds b", "stops b"]);
    // Nothing of it is left: the next one is built anew.
    assert!(street.save(&shop("c", "")).await.is_applied());
    street.retired().await;
    assert_eq!(
        street.log.all(),
        ["builds b", "stops b", "builds c", "begins c", "drains a", "stops a", "adopts c"]
    );
}

#[tokio::test]
async fn a_first_one_that_fails_is_an_error_with_its_place() {
    for (fault, said) in [
        ("build", "config/app.toml:3:8: no room"),
        ("panic", "config/app.toml:2:1: it panicked: the roof fell"),
        ("not ready", "config/app.toml:2:1: the shelves are empty"),
    ] {
        let (_site, manager) = engine(&shop("a", fault)).await;
        let error = Supervisor::new(Chain::default()).start(&manager, "app", "/shop").await.expect_err(fault);
        assert_eq!(error.to_string(), said);
    }
    let (_site, manager) = engine(&shop("a", "")).await;
    let start = |pointer| Supervisor::new(Chain::default()).start(&manager, "app", pointer);
    assert_eq!(start("shop").await.expect_err("no pointer").kind(), ErrorKind::Pattern);
    let missing = start("/market").await.expect_err("nothing there").to_string();
    assert!(missing.contains("there is nothing at /market"), "{missing}");
}
