//! The example, on a copy of its site.

#[test]
fn the_site_is_served_and_every_save_shows() {
    rekindle_adaptor_test::example(
        env!("CARGO_BIN_EXE_axum_site"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/../site"),
    );
}
