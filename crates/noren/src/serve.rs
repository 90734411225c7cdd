//! `noren serve`: everything in one process.

use std::time::{Duration, Instant};

use clap::Args;
use query::{Locale, ShopRules};
use runtime::{StartError, config, server};

use crate::app::{App, Options};
use crate::demo::demo_catalogue;

/// How long the demo may take to become searchable.
const DEMO_PATIENCE: Duration = Duration::from_secs(60);
/// Products of the demo that are written together.
const DEMO_BATCH: usize = 500;

/// Flags of `noren serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren serve                             on 127.0.0.1:8080, data in ./data
  noren serve --demo                      the same, with a made catalogue in it if it is empty
  noren serve --rules rules.toml          with synonyms, pinned products and boosts: docs/TUNING.md
  noren serve --data-dir /srv/noren --listen 0.0.0.0:80")]
pub struct Serve {
    #[command(flatten)]
    data_dir: config::DataDir,
    #[command(flatten)]
    listen: config::Listen,
    #[command(flatten)]
    catalogue: api::config::Catalogue,
    #[command(flatten)]
    caching: config::Caching,
    /// Fill an empty catalogue with 2,000 made products
    #[arg(long)]
    demo: bool,
}

/// Runs the three services until Ctrl-C or SIGTERM, then lets requests under way end.
///
/// # Errors
/// When it cannot start.
pub async fn serve(flags: Serve) -> Result<(), StartError> {
    let (currency, language) = (flags.catalogue.currency(), flags.catalogue.language);
    let options = Options {
        currency,
        language,
        cache_seconds: flags.caching.cache_seconds.unwrap_or(0),
        answer_cache_mb: flags.caching.answer_cache_mb,
        rules: ShopRules::open_configured(flags.catalogue.rules.as_deref(), Locale { currency, language })?,
    };
    let listener = server::listen(flags.listen.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|error| StartError::because("cannot tell the address that was taken", error))?;
    let app = App::open(&flags.data_dir.data_dir, options).await?;
    if flags.demo {
        fill_with_demo(&app).await?;
    }
    println!("noren is ready, with its data in {}", flags.data_dir.data_dir.display());
    println!("  search     http://{address}/products/search?query=lamp&facets=brand,category,price");
    println!("  products   http://{address}/products");
    println!("  API        http://{address}/docs");
    println!("  metrics    http://{address}/metrics");
    println!("Ctrl-C stops it.");
    server::serve(listener, app.router(), server::stop_signal()).await;
    app.stop().await;
    Ok(())
}

/// Puts the made catalogue into an empty one; a catalogue with products is left as it is.
pub(crate) async fn fill_with_demo(app: &App) -> Result<(), StartError> {
    let page = app.catalogue().list(None, 1).await;
    let page = page.map_err(|error| StartError::because("cannot list the catalogue", error))?;
    if !page.products.is_empty() {
        println!("the catalogue has products already; --demo leaves it as it is");
        return Ok(());
    }
    let begun = Instant::now();
    let products: Vec<_> = demo_catalogue().collect();
    for batch in products.chunks(DEMO_BATCH) {
        for answer in app.catalogue().put_many(batch.to_vec()).await {
            answer.map_err(|error| StartError::because("cannot write a product of the demo", error))?;
        }
    }
    app.sync_all(DEMO_PATIENCE).await?;
    println!("made {} products for the demo in {:.1} s", products.len(), begun.elapsed().as_secs_f64());
    Ok(())
}
