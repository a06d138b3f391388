//! What has to hold of every engine, run for each.
#![allow(clippy::disallowed_methods)]

mod bench;
mod dialect;
mod saves;

/// Each test, for each engine.
macro_rules! conformance {
    ($($module:ident :: $test:ident),+ $(,)?) => {
        conformance!(@ minijinja, rekindle_templates::MiniJinja, "minijinja"; $($module::$test)+);
    };
    (@ $name:ident, $engine:ty, $feature:literal; $($module:ident :: $test:ident)+) => {
        #[cfg(feature = $feature)]
        mod $name {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$module::$test::<$engine>().await;
                }
            )+
        }
    };
}

conformance! {
    saves::a_save_is_rendered,
    saves::a_broken_save_keeps_the_last_good_one_and_points,
    saves::a_broken_start_is_no_failure,
    saves::one_broken_file_does_not_keep_the_others_back,
    saves::a_new_file_and_a_new_directory_are_found,
    saves::a_renamed_template_has_its_new_name,
    saves::a_missing_directory_is_found_when_it_comes,
}
