//! `noren serve`: all services in one process.

use std::time::{Duration, Instant};

use clap::Args;
use demo::demo_catalogue;
use runtime::{StartError, config, server};
use sync::Upgrade;

use crate::app::{App, Options};

/// Time limit for the demo catalogue to become searchable.
const DEMO_TIMEOUT: Duration = Duration::from_secs(60);
/// Demo products that are written together.
const DEMO_BATCH: usize = 500;

/// `noren serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren serve                             on 127.0.0.1:8080, data in ./data
  noren serve --demo                      the same, with sample products if the catalogue is empty
  noren serve --rules rules.toml          with synonyms, pinned products and boosts: docs/TUNING.md
  noren serve --data-dir /srv/noren --listen 0.0.0.0:80")]
pub struct ServeArgs {
    #[command(flatten)]
    data_dir: config::DataDir,
    #[command(flatten)]
    listen: config::Listen,
    #[command(flatten)]
    catalogue: api::config::Catalogue,
    #[command(flatten)]
    caching: config::Caching,
    /// Fill an empty catalogue with 2,000 sample products
    #[arg(long)]
    demo: bool,
}

/// Runs all services until Ctrl-C or SIGTERM, then completes the requests in progress.
///
/// # Errors
/// If the services cannot start.
pub(crate) async fn serve(args: ServeArgs) -> Result<(), StartError> {
    let options = Options {
        cache_seconds: args.caching.cache_seconds.unwrap_or(0),
        answer_cache_mb: args.caching.answer_cache_mb,
        upgrades_index: true,
        ..Options::of(&args.catalogue)?
    };
    let listener = server::listen(args.listen.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|error| StartError::because("cannot determine the address of the server", error))?;
    let app = App::open(&args.data_dir.data_dir, options).await?;
    if args.demo {
        fill_with_demo(&app).await?;
    }
    println!("noren is ready, with its data in {}", args.data_dir.data_dir.display());
    println!("  search     http://{address}/products/search?query=lamp&facets=brand,category,price");
    println!("  products   http://{address}/products");
    println!("  API        http://{address}/docs");
    println!("  metrics    http://{address}/metrics");
    println!("Ctrl-C stops it.");
    // An index that does not respond is reported by /health/ready.
    print_upgrade(app.upgrade().await.unwrap_or(Upgrade::NotNeeded));
    server::serve(listener, app.router(), server::stop_signal()).await;
    app.stop().await;
    Ok(())
}

/// Prints that the index is being rebuilt, if it is.
fn print_upgrade(upgrade: Upgrade) {
    const REBUILT: &str =
        "The index has the format of an older version and is being rebuilt from the store; until then,";
    match upgrade {
        Upgrade::NotNeeded => {}
        Upgrade::Needed => println!("{REBUILT} searches use the old one."),
        Upgrade::NeededToSearch => println!("{REBUILT} searches are unavailable (503)."),
    }
}

/// Writes the demo catalogue into an empty catalogue. A catalogue with products is left as it is.
pub(crate) async fn fill_with_demo(app: &App) -> Result<(), StartError> {
    let page = app.catalogue().list(None, 1).await;
    let page = page.map_err(|error| StartError::because("cannot list the catalogue", error))?;
    if !page.products.is_empty() {
        println!("the catalogue has products already; --demo changes nothing");
        return Ok(());
    }
    let begun = Instant::now();
    let products: Vec<_> = demo_catalogue().collect();
    for batch in products.chunks(DEMO_BATCH) {
        for answer in app.catalogue().put_many(batch.to_vec()).await {
            answer.map_err(|error| StartError::because("cannot write a demo product", error))?;
        }
    }
    app.sync_all(DEMO_TIMEOUT).await?;
    println!("wrote {} sample products in {:.1} s", products.len(), begun.elapsed().as_secs_f64());
    Ok(())
}
