//! `noren bench --seconds`: searches a running service for a time, counts errors, and asserts bounds of the figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::args::BenchArgs;
use crate::client::Endpoint;
use crate::error::BenchError;
use crate::load_figures::{ErrorKind, LoadFigures};
use crate::remote::RemoteService;
use crate::workload::{Searcher, Workload, service_searches};

/// Pause after a failed attempt to connect, which may take no time at all.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

/// Searches a running service for a time and prints the figures. It ends at the latest when the last search times out.
///
/// # Errors
/// If there is nothing to search for, or an assertion of the arguments does not hold.
pub async fn measure_load(service: RemoteService, seconds: u32, args: &BenchArgs) -> Result<(), BenchError> {
    let address = service.name().to_owned();
    let (workload, _) = service_searches(&Endpoint::Remote(service), args).await?;
    let figures = search_for(Duration::from_secs(seconds.into()), &workload, args.connections).await?;
    let unmet: Vec<String> =
        args.assertions.iter().filter_map(|assertion| assertion.unmet(&figures)).collect();
    if args.json {
        let mut json = figures.to_json();
        json["url"] = address.into();
        json["connections"] = args.connections.into();
        json["unmet"] = unmet.clone().into();
        runtime::out_line!("{json}");
    } else {
        runtime::out_line!("{address}, {} connections", args.connections);
        runtime::out_line!("{figures}");
    }
    match (unmet.is_empty(), args.assertions.is_empty()) {
        (false, _) => Err(BenchError::Unmet(unmet.join("; "))),
        (true, false) if !args.json => {
            let met: Vec<String> = args.assertions.iter().map(ToString::to_string).collect();
            runtime::out_line!("met: {}", met.join(", "));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Makes searches for a time, at least one per connection.
async fn search_for(
    time: Duration,
    workload: &Workload,
    connections: usize,
) -> Result<LoadFigures, BenchError> {
    if workload.len() == 0 {
        return Err(BenchError::NoQueries("the list of searches is empty"));
    }
    let turns = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut tasks = Vec::with_capacity(connections);
    for _ in 0..connections {
        let searcher = workload.connect().await?;
        tasks.push(tokio::spawn(search_until(begun + time, searcher, Arc::clone(&turns))));
    }
    let mut figures = LoadFigures::default();
    for task in tasks {
        figures.add(task.await?);
    }
    figures.finish(begun.elapsed());
    Ok(figures)
}

/// Makes one search after the other: at least one, and no further one after `end`.
async fn search_until(end: Instant, mut searcher: Searcher, turns: Arc<AtomicUsize>) -> LoadFigures {
    let mut figures = LoadFigures::default();
    loop {
        let begun = Instant::now();
        let answer = searcher.search(turns.fetch_add(1, Ordering::Relaxed)).await;
        match answer {
            Ok(()) => figures.answered(begun.elapsed()),
            Err(error) => {
                let kind = ErrorKind::of(&error);
                figures.failed(kind, begun.elapsed());
                if kind == ErrorKind::NoConnection {
                    tokio::time::sleep(RECONNECT_PAUSE).await;
                }
            }
        }
        if Instant::now() >= end {
            return figures;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::served::Served;
    use axum::Router;
    use axum::http::{StatusCode, Uri};
    use axum::routing::get;
    use clap::Parser;
    use serde_json::json;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: BenchArgs,
    }

    fn args(arguments: &str) -> Result<BenchArgs, clap::Error> {
        let words = ["bench"].into_iter().chain(arguments.split_whitespace());
        Ok(Cli::try_parse_from(words)?.args)
    }

    fn remote(host: &str) -> RemoteService {
        RemoteService::of_url(&format!("http://{host}/"))
    }

    /// A catalogue of one product. Each search for it, counted from 0, has the status that `status` returns.
    fn shop(status: impl Fn(usize) -> u16 + Clone + Send + Sync + 'static) -> Router {
        let searches = Arc::new(AtomicUsize::new(0));
        let search = async move |uri: Uri| {
            let is_search = uri.query().unwrap_or_default().contains("query=");
            let count = if is_search { searches.fetch_add(1, Ordering::Relaxed) } else { 0 };
            let status = if is_search { status(count) } else { 200 };
            let body = json!({"total": 1, "products": [{"id": "tea", "name": "Tea"}]});
            (StatusCode::from_u16(status).unwrap(), axum::Json(body))
        };
        Router::new().route("/products/search", get(search))
    }

    fn workload(service: RemoteService) -> Workload {
        let queries = [crate::queries::Query::of_words("tea")];
        Workload::searches(Endpoint::Remote(service), &queries, crate::queries::Facets::Two).unwrap()
    }

    #[tokio::test]
    async fn errors_are_counted_by_kind_and_do_not_end_the_run() {
        let statuses = [200, 503, 429, 302];
        let served = Served::start(shop(move |count| statuses[count % 4])).await.unwrap();
        let figures = search_for(Duration::ZERO, &workload(remote(&served.host)), 8).await.unwrap();
        let json = figures.to_json();
        assert_eq!(json["answered"], 2);
        assert_eq!(json["errorsByKind"], json!({"status 302": 2, "status 429": 2, "status 503": 2}));
        served.stop().await;
    }

    #[tokio::test]
    async fn a_run_goes_on_until_its_time_is_over() {
        let served = Served::start(shop(|_| 200)).await.unwrap();
        let time = Duration::from_millis(200);
        let figures = search_for(time, &workload(remote(&served.host)), 1).await.unwrap();
        assert!(figures.to_json()["seconds"].as_f64().unwrap() >= 0.2);
        served.stop().await;
    }

    #[tokio::test]
    async fn a_service_that_went_away_or_does_not_respond_is_an_error_of_its_own() {
        let served = Served::start(Router::new()).await.unwrap();
        let host = served.host.clone();
        served.stop().await;
        let figures = search_for(Duration::ZERO, &workload(remote(&host)), 1).await.unwrap();
        assert_eq!(figures.to_json()["errorsByKind"], json!({"no connection": 1}));

        let silent = Router::new().fallback(async || std::future::pending::<()>().await);
        let served = Served::start(silent).await.unwrap();
        let service = remote(&served.host).with_timeout(Duration::from_millis(50));
        let figures = search_for(Duration::ZERO, &workload(service), 2).await.unwrap();
        assert_eq!(figures.to_json()["errorsByKind"], json!({"time-out": 2}));

        let page = Router::new().fallback(async || axum::response::Html("please log in"));
        let page = Served::start(page).await.unwrap();
        let figures = search_for(Duration::ZERO, &workload(remote(&page.host)), 1).await.unwrap();
        assert_eq!(figures.to_json()["errorsByKind"], json!({"not JSON": 1}));
        page.stop().await;
    }

    #[tokio::test]
    async fn assertions_decide_on_success() {
        let served = Served::start(shop(|count| if count == 0 { 500 } else { 200 })).await.unwrap();
        let asserting = |list: &str| {
            let args = args(&format!("--url x --seconds 1 --connections 3 --assert {list}")).unwrap();
            let service = remote(&served.host);
            async move { measure_load(service, 0, &args).await }
        };
        let error = asserting("errors=0,mean=0ms,rps=0").await.unwrap_err().to_string();
        assert!(
            error.starts_with("assertions do not hold: errors is 1, but must be at most 0; mean is "),
            "{error}"
        );
        asserting("errors=0,mean=60s,p50=60s,p95=60s,p99=60s,max=60s,rps=0.001").await.unwrap();
        served.stop().await;
    }

    #[test]
    fn assertions_are_a_list_of_a_run_with_a_time() {
        let parsed = args("--url x --seconds 10 --assert mean=1s,p99=3s,errors=0 --assert rps=50").unwrap();
        let assertions: Vec<String> = parsed.assertions.iter().map(ToString::to_string).collect();
        assert_eq!(assertions, ["mean=1s", "p99=3s", "errors=0", "rps=50"]);
        for (arguments, word) in [
            ("--url x --seconds 10 --assert mean=1s,", "such as mean=1s"),
            ("--url x --seconds 10 --assert avg=1s", "`avg` must be mean, p50"),
            ("--url x --assert mean=1s", "--seconds"),
            ("--url x --json", "--seconds"),
            ("--seconds 10", "--url"),
            ("--url x --seconds 0", "0 is not in 1..=3600"),
            ("--url x --seconds 10 --searches 5", "cannot be used with"),
            ("--url x --seconds 10 --csv f", "cannot be used with"),
        ] {
            let error = args(arguments).unwrap_err().to_string();
            assert!(error.contains(word), "{arguments}: {error}");
        }
    }
}
