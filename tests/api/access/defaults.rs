//! Without configuration a service is open to the programs of its own machine, and to nobody else.

use reqwest::{Method, RequestBuilder};

use super::routes::{PUBLIC, ROUTES};
use super::shop::{Shop, request};
use crate::support::{Answer, Running, finished, wait_until};

const PROGRAMS: [&str; 4] = ["noren", "noren-command", "noren-sync", "noren-query"];

#[test]
fn a_service_that_others_reach_does_not_start_until_somebody_says_who_may_use_it() {
    let shop = Shop::new();
    let folder = format!("{}/data", shop.folder());
    for name in PROGRAMS {
        let serve: &[&str] = if name == "noren" { &["serve"] } else { &[] };
        for listen in ["0.0.0.0:0", "[::]:0"] {
            let arguments = [serve, &["--listen", listen, "--data-dir", &folder]].concat();
            let output = finished(name, &arguments, &[]);
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{name}: {error}");
            for text in [listen, "NOREN_ACCESS=keys", "noren keys create", "NOREN_ACCESS=none"] {
                assert!(error.contains(text), "{name}: {text} is missing: {error}");
            }
            let created = std::path::Path::new(&folder).exists();
            assert!(!created, "{name}: a start that is refused creates nothing");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_open_to_everyone_says_so_at_each_start() {
    let shop = Shop::new();
    for (n, name) in PROGRAMS.iter().flat_map(|name| [name, name]).enumerate() {
        let log = format!("{}/log-{n}", shop.folder());
        let service = shop
            .start_with(name, &[("NOREN_ACCESS", "none")], |command| {
                command.stderr(std::fs::File::create(&log).unwrap());
            })
            .await;
        let is_said = async || {
            let text = std::fs::read_to_string(&log).unwrap();
            text.lines().any(|line| line.contains("WARN") && line.contains("NOREN_ACCESS=none"))
        };
        wait_until(&format!("{name} warns"), is_said).await;
        drop(service);
    }
}

/// Requests that only a page of another site sends.
fn as_foreign_pages(service: &Running, method: &str, path: &str) -> Vec<(&'static str, RequestBuilder)> {
    let own = service.url.clone();
    let request = || request(service, method.parse().unwrap(), path);
    vec![
        ("another site", request().header("origin", "https://evil.example")),
        ("another port", request().header("origin", "http://127.0.0.1:9")),
        ("another name", request().header("origin", own.replace("127.0.0.1", "localhost"))),
        ("a file or a frame", request().header("origin", "null")),
        ("no origin", request().header("sec-fetch-site", "cross-site")),
        ("the same site", request().header("sec-fetch-site", "same-site").header("origin", own)),
    ]
}

fn headers_of_cors(answer: &Answer) -> Vec<&str> {
    let names = answer.headers.keys().map(|name| name.as_str());
    names.filter(|name| name.starts_with("access-control-")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_may_search_and_nothing_else() {
    let shop = Shop::new();
    let service = shop.start("noren", &[]).await;
    for route in ROUTES.iter().filter(|route| !route.path.starts_with("/admin/keys")) {
        let is_open = matches!(route.needs, PUBLIC | "search");
        for (page, request) in as_foreign_pages(&service, route.method, &route.example()) {
            let answer = Answer::of(request).await;
            let shown = format!("{page}: {} {}: {answer:?}", route.method, route.path);
            assert_eq!(answer.status == 403, !is_open, "{shown}");
            match is_open {
                true => assert_eq!(answer.header("access-control-allow-origin"), "*", "{shown}"),
                false => assert!(headers_of_cors(&answer).is_empty(), "{shown}"),
            }
            if !is_open {
                assert!(answer.problem(403)["detail"].as_str().unwrap().contains("NOREN_CORS"), "{shown}");
            }
        }
        let preflight = request(&service, Method::OPTIONS, &route.example());
        let preflight = preflight.header("origin", "https://evil.example");
        let preflight = Answer::of(preflight.header("access-control-request-method", route.method)).await;
        assert_eq!(headers_of_cors(&preflight).is_empty(), !is_open, "{} {}", route.method, route.path);
    }
    let own = request(&service, Method::GET, "/products").header("origin", &service.url);
    let own = Answer::of(own.header("sec-fetch-site", "same-origin")).await.expect(200);
    assert!(headers_of_cors(&own).is_empty(), "{own:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_listed_sites_may_do_everything() {
    let shop = Shop::new();
    let service = shop.start("noren", &[("NOREN_CORS", "https://admin.example,http://localhost:3000")]).await;
    for origin in ["https://admin.example", "http://localhost:3000"] {
        for path in ["/products", "/admin/index", "/imports", "/metrics"] {
            let get = request(&service, Method::GET, path).header("origin", origin);
            let answer = Answer::of(get.header("sec-fetch-site", "cross-site")).await.expect(200);
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}: {answer:?}");
        }
    }
    for origin in ["https://evil.example", "http://admin.example", "https://admin.example.evil.example"] {
        let get = request(&service, Method::GET, "/products").header("origin", origin);
        let answer = Answer::of(get).await;
        assert!(headers_of_cors(&answer).is_empty(), "{origin}: {answer:?}");
        answer.problem(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_name_that_points_here_is_refused_unless_it_is_listed() {
    let shop = Shop::new();
    let service = shop.start("noren", &[("NOREN_HOSTS", "noren,Catalogue.shop.example")]).await;
    let port = service.url.rsplit(':').next().unwrap();
    let with_host = |method: &str, path: &str, host: &str| {
        request(&service, method.parse().unwrap(), path).header("host", host)
    };
    for route in ROUTES.iter().filter(|route| route.needs != PUBLIC && !route.path.starts_with("/admin/keys"))
    {
        let named = with_host(route.method, &route.example(), &format!("evil.example:{port}"));
        // For a browser, a page of that host has the same origin as the service.
        let named = named.header("origin", format!("http://evil.example:{port}"));
        let answer = Answer::of(named.header("sec-fetch-site", "same-origin")).await.expect(403);
        let problem = answer.json();
        assert!(problem[route.description()].as_str().unwrap().contains("NOREN_HOSTS"), "{problem}");
    }
    for host in ["noren", "noren:8080", "catalogue.shop.example", "localhost", "10.0.0.7:80", "[::1]:8080"] {
        Answer::of(with_host("GET", "/products", host)).await.expect(200);
    }
    for host in ["evil.example", "noren.evil.example", "localhost.evil.example", "127.0.0.1.evil.example"] {
        Answer::of(with_host("GET", "/products/search", host)).await.problem(403);
    }
}

/// For example in a container, where the program cannot tell who reaches its address.
#[tokio::test(flavor = "multi_thread")]
async fn the_checks_of_page_and_host_hold_wherever_access_is_none() {
    let shop = Shop::new();
    for name in PROGRAMS {
        let service = shop.start(name, &[("NOREN_ACCESS", "none")]).await;
        let foreign = request(&service, Method::GET, "/metrics").header("origin", "https://evil.example");
        Answer::of(foreign).await.problem(403);
        let rebound = request(&service, Method::GET, "/metrics").header("host", "evil.example");
        Answer::of(rebound).await.problem(403);
        Answer::of(request(&service, Method::GET, "/metrics")).await.expect(200);
    }
}

/// A proxy on this machine would let everyone in, unless somebody says who may use the service.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_came_through_a_proxy_may_only_search_until_somebody_says_who_may_do_more() {
    let shop = Shop::new();
    for (variables, status) in [(&[][..], 403), (&[("NOREN_ACCESS", "none")], 200)] {
        let service = shop.start("noren", variables).await;
        for header in ["x-forwarded-for", "x-real-ip", "forwarded"] {
            let ask = async |path: &str| {
                Answer::of(request(&service, Method::GET, path).header(header, "192.0.2.1")).await
            };
            let answer = ask("/products").await.expect(status);
            if status == 403 {
                assert!(answer.problem(403)["detail"].as_str().unwrap().contains("NOREN_ACCESS=keys"));
            }
            ask("/products/search").await.expect(200);
        }
        Answer::of(request(&service, Method::GET, "/products")).await.expect(200);
    }
}

/// Keys protect the service, so it accepts every host name.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_with_keys_is_called_by_any_name_and_no_page_writes_without_a_key() {
    let shop = Shop::new();
    let key = shop.key("read").key;
    let service = shop.start("noren", &[("NOREN_ACCESS", "keys")]).await;
    let named = request(&service, Method::GET, "/products").header("host", "catalogue.shop.example");
    Answer::of(named.header("x-api-key", &key)).await.expect(200);
    for (page, request) in as_foreign_pages(&service, "POST", "/products") {
        let answer = Answer::of(request.body("{}")).await;
        assert!(headers_of_cors(&answer).is_empty(), "{page}: {answer:?}");
        answer.problem(401);
    }
}
