//! What has to hold of rekindle with every framework, as tests of a running server: real files, real sockets.
//!
//! An adaptor's tests are one function, which serves a [`Program`] with its framework, and [`suite!`], which makes a test of
//! each function of [`suite`](mod@suite). The program has these routes:
//!
//! | route | answer |
//! |---|---|
//! | `/` | the template `page.html`, with the configuration `site` as its context |
//! | `/broken` | the template `broken.html`, which does not compile at first |
//! | `/echo` | to a POST its body, as `text/plain` |
//! | `/gzip/page`, `/gzip/data` | [`gzip`], as HTML and as `text/plain` |
//! | `/slow` | [`SLOW`] as HTML, the second half after [`Program::gate`] was opened |
//! | `/torn` | the first half of [`SLOW`] as HTML, and then an error |
//! | `/twice` | the title, taken before [`Program::rename`] and once more after it, with a blank between |
//! | below `/static/` | the assets |

mod example;
mod program;
mod server;
pub mod suite;
mod tab;

pub use example::example;
pub use program::{Program, SLOW, SiteConfig, gzip};
pub use server::{Server, Start};
pub use tab::Tab;

/// Makes a test of each function of [`suite`](mod@suite), with a function that serves a [`Program`].
///
/// The function is called in a tokio runtime. It gets the program and a listening socket that does not block, and
/// leaves behind a task that serves.
#[macro_export]
macro_rules! suite {
    ($serve:path) => {
        $crate::suite!($serve:
            pages::a_page_has_the_tag_with_its_revision_and_its_templates,
            pages::what_is_posted_comes_through_untouched,
            pages::head_has_no_body_and_no_tag,
            pages::a_compressed_page_has_the_tag_in_it,
            pages::compressed_data_is_left_as_it_is,
            pages::a_page_is_sent_while_it_is_made,
            pages::a_page_that_breaks_off_is_not_taken_for_a_whole_one,
            pages::what_nothing_is_at_is_not_found,
            pages::a_page_that_cannot_be_rendered_heals,
            sockets::a_save_is_told_to_the_pages_that_it_concerns,
            sockets::what_is_broken_is_told_until_it_is_mended,
            sockets::a_client_that_leaves_is_not_counted_any_more,
            sockets::a_listener_that_leaves_is_not_counted_any_more,
            sockets::a_message_without_sense_is_answered_by_the_reason_of_the_end,
            sockets::who_asks_for_no_socket_is_told_so,
            sockets::events_are_sent_as_they_come,
            assets::an_asset_is_kept_by_its_fingerprint_and_asked_for_again_by_its_name,
            assets::what_is_known_is_not_sent_again,
            assets::a_part_of_an_asset_is_sent,
            assets::only_assets_are_answered,
            endpoints::the_dashboard_and_the_scripts_are_there,
            endpoints::what_is_posted_to_an_endpoint_is_read,
            endpoints::another_host_is_refused,
            endpoints::a_page_under_another_name_does_not_learn_the_token,
            configs::a_request_sees_one_value_of_a_configuration,
        );
    };
    ($serve:path: $($module:ident::$test:ident,)*) => {
        $(
            #[test]
            fn $test() {
                $crate::suite::run($crate::suite::$module::$test($serve));
            }
        )*
    };
}
