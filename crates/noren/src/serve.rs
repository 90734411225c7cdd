//! `noren serve`: all services in one process.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use api::access::StoreOptions;
use clap::Args;
use demo::demo_catalogue;
use reqwest::Url;
use runtime::StartError;
use runtime::config::{self, ImagesKind, Reach};
use runtime::server::{Server, stop_signal};
use runtime::telemetry::Logs;
use sync::Upgrade;

use crate::app::App;
use crate::configuration::Configuration;

/// The data folder of `--demo`, so that the sample products do not mix with others.
const DEMO_FOLDER: &str = "./data-demo";
/// Time limit for the demo catalogue to become searchable.
const DEMO_TIMEOUT: Duration = Duration::from_secs(60);

/// `noren serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren serve                             on 127.0.0.1:8080, data in ./data
  noren serve --demo                      with sample products and a shop, in ./data-demo
  noren serve --rules rules.toml          with synonyms, pinned products and boosts: docs/TUNING.md
  noren serve --listen 0.0.0.0:80 --access keys      for everyone who has an API key
  noren serve --store dynamodb --queue sqs --index opensearch --create-tables")]
#[command(mut_arg("data_dir", |folder| folder.default_value_if("demo", "true", DEMO_FOLDER)))]
pub struct ServeArgs {
    #[command(flatten)]
    services: Configuration,
    /// Fill an empty catalogue with 2,000 sample products; without --data-dir, one in ./data-demo
    #[arg(long)]
    demo: bool,
}

impl ServeArgs {
    /// Returns what to log.
    pub(crate) fn logs(&self) -> Logs {
        let config::Logging { access_log, stage } = &self.services.logging;
        Logs { audit: self.services.access.audit, access: *access_log, stage: stage.clone() }
    }
}

/// Runs all services until Ctrl-C or SIGTERM, then completes the requests in progress.
///
/// # Errors
/// If the services cannot start.
pub(crate) async fn serve(args: ServeArgs) -> Result<(), StartError> {
    let mut services = args.services;
    let reach = Reach::Address(services.listen.listen);
    services.access.check(reach)?;
    services.query.storefront.check(&services.access)?;
    let follows_demo = services.query.storefront.storefront.is_none() && args.demo;
    let is_searchable = services.access.lets_everyone_search();
    if follows_demo {
        services.query.storefront.storefront = Some(is_searchable);
    }
    let server = Server::listen(services.listen.listen).await?;
    let address = server.address()?;
    let sites = sites_of_images(&services.images, address);
    services.query.storefront.storefront_images.extend(sites);
    let command::BackEnds { data_dir, create_tables, waiting, .. } = &services.command;
    let access =
        api::access::open(&services.access, reach, StoreOptions { data_dir, create_tables, waiting });
    let opening = async { tokio::try_join!(access, App::open_configured(&services)) };
    let parts = api::access::parts_to_open(&services.access, &["store", "queue", "index"]);
    let Some((server, (guard, app))) =
        waiting.serve_while(server, services.access.guard_of_start(), &parts, opening).await?
    else {
        return Ok(());
    };
    if args.demo {
        fill_with_demo(&app).await?;
    }
    runtime::out_line!("noren is ready, with {}", services.places());
    runtime::out_line!("  start here http://{address}/");
    runtime::out_line!(
        "  search     http://{address}/products/search?query=lamp&facets=brand,category,price"
    );
    runtime::out_line!("  products   http://{address}/products");
    runtime::out_line!("  API        http://{address}/docs");
    runtime::out_line!("  metrics    http://{address}/metrics");
    if follows_demo && !is_searchable {
        runtime::out_line!("There is no shop, because searches need a key; --anonymous search shows it.");
    }
    runtime::out_line!("Ctrl-C stops it.");
    // An index that does not respond is reported by /health/ready.
    print_upgrade(app.upgrade().await.unwrap_or(Upgrade::NotNeeded));
    let connections = guard.connection_limits();
    let router = app.service(guard, services.caching.answer_cache_mb).into_router();
    server.serve(router, connections, stop_signal()).await;
    app.stop().await;
    Ok(())
}

/// Returns the sites of uploaded images, which the shop shows in addition to the configured ones.
fn sites_of_images(images: &config::Images, address: SocketAddr) -> Vec<String> {
    match &images.images_url {
        _ if images.images == Some(ImagesKind::Off) => Vec::new(),
        Some(url) => Url::parse(url).map(|url| url.origin().ascii_serialization()).into_iter().collect(),
        // An image address names the host that the client called, which is known here only for a service on loopback.
        None if address.ip().is_loopback() => {
            vec![format!("http://{address}"), format!("http://localhost:{}", address.port())]
        }
        None => Vec::new(),
    }
}

/// Prints that the index is being rebuilt, if it is.
fn print_upgrade(upgrade: Upgrade) {
    const REBUILT: &str =
        "The index has the format of an older version and is being rebuilt from the store; until then,";
    match upgrade {
        Upgrade::NotNeeded => {}
        Upgrade::Needed => runtime::out_line!("{REBUILT} searches use the old one."),
        Upgrade::NeededToSearch => runtime::out_line!("{REBUILT} searches are unavailable (503)."),
    }
}

/// Writes the demo catalogue into an empty catalogue. A catalogue with products is left as it is.
pub(crate) async fn fill_with_demo(app: &App) -> Result<(), StartError> {
    let page = app.catalogue().list(None, 1).await;
    let page = page.map_err(|error| StartError::because("cannot list the catalogue", error))?;
    if !page.products.is_empty() {
        runtime::out_line!("the catalogue has products already; --demo changes nothing");
        return Ok(());
    }
    let begun = Instant::now();
    let products: Vec<_> = demo_catalogue().collect();
    // Products of one batch may have the same time, so each batch has every kind: the newest products are then varied.
    for batch in products.chunks(demo::kinds_in_demo()) {
        for answer in app.catalogue().put_many(batch.to_vec()).await {
            answer.map_err(|error| StartError::because("cannot write a demo product", error))?;
        }
    }
    app.sync_all(DEMO_TIMEOUT).await?;
    runtime::out_line!("wrote {} sample products in {:.1} s", products.len(), begun.elapsed().as_secs_f64());
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
    fn the_shop_shows_uploaded_images() {
        let sites = |kind, url: Option<&str>, address: &str| {
            let images =
                config::Images { images: kind, images_bucket: None, images_url: url.map(str::to_owned) };
            sites_of_images(&images, address.parse().unwrap()).join(" ")
        };
        assert_eq!(sites(None, None, "127.0.0.1:80"), "http://127.0.0.1:80 http://localhost:80");
        assert_eq!(sites(None, None, "0.0.0.0:80"), "");
        let url = Some("https://cdn.example/images");
        assert_eq!(sites(Some(ImagesKind::S3), url, "0.0.0.0:80"), "https://cdn.example");
        assert_eq!(sites(Some(ImagesKind::Off), url, "127.0.0.1:80"), "");
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
