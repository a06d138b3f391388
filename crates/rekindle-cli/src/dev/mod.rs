//! `rekindle dev`: a directory in, its pages in a browser out, each save shown there and in the terminal.
//!
//! [`listen`] finds the port, [`serve`] answers on it with what is [`shown`]: the templates of the directory, its
//! plain files, or another server by way of [`proxy`]; [`guard`] stands in front. [`greet`] says where to look.

mod answer;
mod args;
mod browser;
mod context;
mod disk;
mod files;
mod greet;
mod guard;
mod listen;
mod meaning;
mod notice;
mod pages;
mod proxy;
mod serve;
mod shown;
mod site;
mod tell;

use crate::output;
use crate::signals::Signals;
use crate::stop::Stop;
pub(crate) use args::DevArgs;
use guard::{Guard, Guarded};
use shown::Shown;

/// Serves until it is ended.
///
/// # Errors
///
/// What keeps it from listening or from watching the files; [`Stop::Closed`] when nobody reads any more.
pub(crate) async fn run(args: &DevArgs) -> Result<(), Stop> {
    let mut signals = Signals::listen()?;
    let listener = listen::listen(args.host, args.port).await?;
    let bound = listener.local_addr()?;
    not_itself(args, bound)?;
    let shown = Shown::start(args).await?;
    output::print(&greet::greeting(args, bound, shown.what()))?;
    if args.open {
        tokio::spawn(open(listen::local_url(bound)));
    }
    let mut ended = Ok(());
    let events = shown.manager.subscribe();
    let end = async {
        ended = tokio::select! {
            told = tell::tell(&shown, events) => told,
            () = signals.received() => Ok(()),
            () = output::closed() => Err(Stop::Closed),
        };
    };
    let guard = Guard::new(&args.allow_host, bound);
    serve::serve(listener, Guarded::new(guard, shown.service()), end).await;
    shown.stop().await?;
    ended
}

async fn open(url: String) {
    if let Err(why) = browser::open(url).await {
        output::note(&why);
    }
}

fn not_itself(args: &DevArgs, bound: std::net::SocketAddr) -> Result<(), Stop> {
    match &args.proxy {
        Some(upstream) if proxy::is_itself(upstream, bound) => {
            Err(Stop::Usage(format!("{upstream} is this very program: --proxy names the server behind it")))
        }
        _ => Ok(()),
    }
}
