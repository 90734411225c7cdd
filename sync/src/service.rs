//! The consumer as a process of its own.

use std::sync::Arc;

use clap::Parser;
use domain::ports::{ChangeQueue, IndexWriter};
use domain::{Currency, Language};
#[cfg(feature = "aws")]
use opensearch_index::OpenSearchWriter;
use rules::{Faults, FieldWeights, Locale, Rules};
use runtime::config::{self, IndexKind, QueueKind};
use runtime::{Service, StartError, server};
use tokio_util::sync::CancellationToken;

use crate::{Worker, WorkerOptions};

/// Noren's consumer: takes changes from the queue and brings the search index to them.
#[derive(Debug, Parser)]
#[command(
    name = "noren-sync",
    version,
    after_help = "Examples:\n  noren-sync --listen 127.0.0.1:8082\n  noren-sync --listen 127.0.0.1:8082 --data-dir /var/lib/noren\n  noren-sync --listen 127.0.0.1:8082 --queue sqs\n\nIt listens for /health and /metrics only. One noren-sync writes an embedded index at a time."
)]
pub struct Config {
    #[command(flatten)]
    listen: config::Listen,
    #[command(flatten)]
    data_dir: config::DataDir,
    #[command(flatten)]
    queue: config::Queue,
    #[command(flatten)]
    sqs: config::Sqs,
    #[command(flatten)]
    index: config::Index,
    #[command(flatten)]
    opensearch: config::OpenSearch,
    #[command(flatten)]
    language: config::Language,
    #[command(flatten)]
    currency: config::Currency,
    #[command(flatten)]
    rules: config::Rules,
    #[command(flatten)]
    create_tables: config::CreateTables,
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(config: Config) -> Result<(), StartError> {
    #[cfg(feature = "aws")]
    if runtime::lambda::is_lambda() {
        // Lambda itself receives from the queue; the function sees the messages only.
        return crate::lambda::serve(index(&config).await?).await;
    }
    let worker = Worker::new(queue(&config).await?, index(&config).await?, WorkerOptions::default());
    let (parts, queue) = (worker.parts(), Some(worker.queue_probe()));
    let router = Service { parts, queue, ..Service::default() }.into_router();
    let listener = server::listen(config.listen.listen).await?;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let work = tokio::spawn(async move { worker.run(stopped).await });
    server::serve(listener, router, server::stop_signal()).await;
    stop.cancel();
    work.await.map_err(|error| StartError::because("the sync worker failed", error))
}

async fn queue(config: &Config) -> Result<Arc<dyn ChangeQueue>, StartError> {
    match config.queue.queue {
        #[cfg(feature = "embedded")]
        QueueKind::Sqlite => {
            let options = embedded_store::Options::default();
            let queue = embedded_store::EmbeddedStore::open(&config.data_dir.data_dir, options)
                .map_err(|error| StartError::because("cannot open the queue", error))?;
            Ok(Arc::new(queue))
        }
        #[cfg(not(feature = "embedded"))]
        QueueKind::Sqlite => Err(config::compiled_out("NOREN_QUEUE", "sqlite", "embedded")),
        #[cfg(feature = "aws")]
        QueueKind::Sqs => {
            let aws = aws_setup::Aws::load().await;
            let aws = aws.map_err(|error| StartError::because("cannot use AWS", error))?;
            let queue = sqs_queue::SqsQueue::open(&aws, &config.sqs.sqs_queue)
                .await
                .map_err(|error| StartError::because("cannot open the queue", error))?;
            Ok(Arc::new(queue))
        }
        #[cfg(not(feature = "aws"))]
        QueueKind::Sqs => Err(config::compiled_out("NOREN_QUEUE", "sqs", "aws")),
    }
}

async fn index(config: &Config) -> Result<Arc<dyn IndexWriter>, StartError> {
    let language = Language::parse(&config.language.language)
        .map_err(|error| StartError::because("NOREN_LANGUAGE cannot be used", error))?;
    let weights = weights(config, language)?;
    match config.index.index {
        #[cfg(feature = "embedded")]
        IndexKind::Tantivy => {
            let folder = config.data_dir.index();
            let options = tantivy_index::WriterOptions { language, weights, ..Default::default() };
            let writer = tantivy_index::TantivyWriter::open(&folder, options)
                .map_err(|error| StartError::because("cannot open the index", error))?;
            Ok(Arc::new(writer))
        }
        #[cfg(not(feature = "embedded"))]
        IndexKind::Tantivy => Err(config::compiled_out("NOREN_INDEX", "tantivy", "embedded")),
        #[cfg(feature = "aws")]
        IndexKind::Opensearch => {
            let config::OpenSearch { opensearch_url, opensearch_index } = &config.opensearch;
            let options = opensearch_index::Options::load(opensearch_url, opensearch_index, language)
                .await
                .map_err(|error| StartError::because("cannot use AWS", error))?;
            let options = opensearch_index::Options { weights, ..options };
            let opened = match config.create_tables.create_tables {
                true => OpenSearchWriter::create(&options).await,
                false => OpenSearchWriter::open(&options).await,
            };
            Ok(Arc::new(opened.map_err(|error| StartError::because("cannot open the index", error))?))
        }
        #[cfg(not(feature = "aws"))]
        IndexKind::Opensearch => Err(config::compiled_out("NOREN_INDEX", "opensearch", "aws")),
    }
}

/// How much the parts of products count: as the rules of the shop say at the start, or as they do by themselves.
fn weights(config: &Config, language: Language) -> Result<FieldWeights, StartError> {
    let Some(path) = &config.rules.rules else { return Ok(FieldWeights::default()) };
    let currency = Currency::parse(&config.currency.currency)
        .map_err(|error| StartError::because("NOREN_CURRENCY cannot be used", error))?;
    let shown = path.display();
    let bytes = rules::read(path).map_err(|error| {
        StartError::because(format!("cannot read the rules file {shown} (NOREN_RULES)"), error)
    })?;
    let rules = Rules::parse(&bytes, Locale { currency, language }).map_err(|Faults(faults)| {
        let details = faults.iter().map(|fault| format!("{shown}:{fault}")).collect();
        StartError::new(format!("the rules file {shown} (NOREN_RULES) is not right; correct these faults"))
            .with_details(details)
    })?;
    Ok(rules.weights())
}
