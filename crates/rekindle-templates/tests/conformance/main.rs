//! What has to hold of every engine, run for each.
#![cfg(any(feature = "minijinja", feature = "tera", feature = "handlebars"))]
#![allow(clippy::disallowed_methods)]

mod bench;
mod dialect;
mod limits;
mod own;
mod random;
mod references;
mod rendering;
mod saves;

/// Each test, for each engine.
macro_rules! conformance {
    ($($module:ident :: $test:ident),+ $(,)?) => {
        conformance!(@ minijinja, rekindle_templates::MiniJinja, "minijinja"; $($module::$test)+);
        conformance!(@ tera, rekindle_templates::Tera, "tera"; $($module::$test)+);
        conformance!(@ handlebars, rekindle_templates::Handlebars, "handlebars"; $($module::$test)+);
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
    saves::a_batch_is_told_of_as_a_whole,
    saves::what_editors_leave_is_no_template,
    saves::lost_notices_lose_no_template,
    references::a_changed_partial_affects_all_that_reach_it,
    references::a_changed_layout_affects_its_pages,
    references::a_removed_partial_in_use_stays_and_is_told_with_the_chain,
    references::a_partial_and_its_user_may_go_together,
    references::a_new_page_that_uses_nothing_there_is_told,
    references::templates_in_a_circle_are_an_error_and_no_overflow,
    references::a_deep_circle_does_not_overflow_a_small_stack,
    references::a_name_that_is_known_when_rendered_depends_on_everything,
    references::a_partial_that_comes_later_mends_its_user,
    rendering::html_is_escaped,
    rendering::eight_renders_are_in_it_at_once_also_while_sets_are_swapped,
    rendering::an_undefined_variable_points_into_the_partial,
    rendering::a_failing_function_points_at_its_call,
    rendering::what_is_rendered_is_recorded,
    rendering::the_engine_itself_can_be_configured_and_had,
    rendering::names_that_are_none_are_told,
    limits::a_thousand_templates_and_one_change,
    limits::what_is_no_text_keeps_the_last_good_one,
    limits::what_is_too_large_keeps_the_last_good_one,
    limits::a_link_is_followed_within_the_root_alone,
    limits::what_is_no_regular_file_is_told,
    limits::the_last_handle_ends_the_thread,
    limits::a_workspace_will_do_as_well,
    limits::a_malformed_glob_is_an_error,
    random::whatever_is_saved_the_end_is_what_is_on_disk,
    limits::a_lagging_subscriber_finds_the_current_state,
}
