//! `noren serve`: all services in one process.

use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::ArgPredicate;
use demo::demo_catalogue;
use runtime::{StartError, server};

use crate::app::App;
use crate::configuration::Configuration;

/// The data folder of `--demo`, so that the sample products do not mix with others.
const DEMO_FOLDER: &str = "./data-demo";
/// Time limit for the demo catalogue to become searchable.
const DEMO_TIMEOUT: Duration = Duration::from_secs(60);
/// Demo products that are written together.
const DEMO_BATCH: usize = 500;

/// `noren serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren serve                             on 127.0.0.1:8080, data in ./data
  noren serve --demo                      with sample products, in ./data-demo
  noren serve --rules rules.toml          with synonyms, pinned products and boosts: docs/TUNING.md
  noren serve --data-dir /srv/noren --listen 0.0.0.0:80
  noren serve --store dynamodb --queue sqs --index opensearch --create-tables")]
#[command(mut_arg("data_dir", |folder| folder.default_value_if("demo", ArgPredicate::IsPresent, DEMO_FOLDER)))]
pub struct ServeArgs {
    #[command(flatten)]
    services: Configuration,
    /// Fill an empty catalogue with 2,000 sample products; without --data-dir, one in ./data-demo
    #[arg(long)]
    demo: bool,
}

/// Runs all services until Ctrl-C or SIGTERM, then completes the requests in progress.
///
/// # Errors
/// If the services cannot start.
pub(crate) async fn serve(args: ServeArgs) -> Result<(), StartError> {
    let services = args.services;
    let listener = server::listen(services.listen.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|error| StartError::because("cannot determine the address of the server", error))?;
    let opening = App::open_configured(&services);
    let opened =
        services.command.waiting.serve_while(&listener, &["store", "queue", "index"], opening).await?;
    let Some(app) = opened else { return Ok(()) };
    if args.demo {
        fill_with_demo(&app).await?;
    }
    println!("noren is ready, with {}", services.places());
    println!("  start here http://{address}/");
    println!("  search     http://{address}/products/search?query=lamp&facets=brand,category,price");
    println!("  products   http://{address}/products");
    println!("  API        http://{address}/docs");
    println!("  metrics    http://{address}/metrics");
    println!("Ctrl-C stops it.");
    server::serve(listener, app.router(), server::stop_signal()).await;
    app.stop().await;
    Ok(())
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        serve: ServeArgs,
    }

    #[test]
    fn the_demo_has_a_folder_of_its_own_unless_one_is_named() {
        for (flags, folder) in [
            (&[][..], "./data"),
            (&["--demo"], "./data-demo"),
            (&["--demo", "--data-dir", "mine"], "mine"),
            (&["--data-dir", "mine"], "mine"),
        ] {
            let program = Program::try_parse_from([&["noren"], flags].concat()).ok().unwrap();
            let Configuration { command, sync, .. } = program.serve.services;
            for data_dir in [command.data_dir, sync.data_dir] {
                assert_eq!(data_dir.data_dir.to_str(), Some(folder), "{flags:?}");
            }
        }
    }
}
