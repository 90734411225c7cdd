//! The table of all routes with the scope that each needs.

use std::collections::BTreeSet;
use std::sync::Arc;

use access::Keyring;
use clap::Parser;
use noren::app::{App, Options};
use runtime::Requirement;
use runtime::config::{Access, DataDir, Reach};

use super::shop::Shop;

/// The need of a route that everyone may use.
pub(super) const PUBLIC: &str = "nothing";

/// A route.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// The scope that it needs, or [`PUBLIC`].
    pub(super) needs: &'static str,
    /// The function of AWS that has the route.
    pub(super) function: Option<&'static str>,
}

const COMMAND: Option<&str> = Some("noren-command");
const QUERY: Option<&str> = Some("noren-query");

const fn route(
    method: &'static str,
    path: &'static str,
    needs: &'static str,
    function: Option<&'static str>,
) -> Route {
    Route { method, path, needs, function }
}

/// All routes of `noren serve`, those of the other programs among them.
pub(super) const ROUTES: &[Route] = &[
    route("GET", "/", PUBLIC, COMMAND),
    route("GET", "/docs", PUBLIC, COMMAND),
    route("GET", "/docs/", PUBLIC, COMMAND),
    route("GET", "/docs/{*rest}", PUBLIC, QUERY),
    route("GET", "/health", PUBLIC, QUERY),
    route("GET", "/health/live", PUBLIC, QUERY),
    route("GET", "/health/ready", PUBLIC, COMMAND),
    route("GET", "/openapi.json", PUBLIC, QUERY),
    route("GET", "/metrics", "admin", QUERY),
    route("GET", "/products", "read", COMMAND),
    route("POST", "/products", "write", COMMAND),
    route("POST", "/products/bulk", "write", COMMAND),
    route("GET", "/products/{id}", "read", COMMAND),
    route("PUT", "/products/{id}", "write", COMMAND),
    route("PATCH", "/products/{id}", "write", COMMAND),
    route("DELETE", "/products/{id}", "write", COMMAND),
    route("DELETE", "/products", "write", COMMAND),
    route("PUT", "/products/{id}/images/{name}", "write", COMMAND),
    route("POST", "/products/{id}/images/{name}", "write", COMMAND),
    route("DELETE", "/products/{id}/images/{name}", "write", COMMAND),
    route("GET", "/images/{id}/{version}/{name}", PUBLIC, COMMAND),
    route("GET", "/imports", "write", COMMAND),
    route("POST", "/imports", "write", COMMAND),
    route("GET", "/imports/{id}", "write", COMMAND),
    route("DELETE", "/imports/{id}", "write", COMMAND),
    route("GET", "/products/search", "search", QUERY),
    route("POST", "/products/search", "search", QUERY),
    route("GET", "/products/suggest", "search", QUERY),
    route("GET", "/products/facets/{field}", "search", QUERY),
    route("GET", "/products/{id}/similar", "search", QUERY),
    route("GET", "/products/{id}/explain", "search", QUERY),
    route("POST", "/1/indexes/{index}/queries", "search", QUERY),
    route("POST", "/1/indexes/{index}/query", "search", QUERY),
    route("POST", "/1/indexes/{index}/facets/{facet}/query", "search", QUERY),
    route("POST", "/1/indexes/{index}/objects", "search", QUERY),
    route("POST", "/1/indexes/{index}/recommendations", "search", QUERY),
    route("GET", "/1/indexes/{index}/{object}", "search", QUERY),
    route("POST", "/1/events", "search", QUERY),
    route("GET", "/admin/keys", "admin", COMMAND),
    route("POST", "/admin/keys", "admin", COMMAND),
    route("GET", "/admin/keys/{id}", "admin", COMMAND),
    route("DELETE", "/admin/keys/{id}", "admin", COMMAND),
    route("POST", "/admin/keys/{id}/rotate", "admin", COMMAND),
    route("GET", "/admin/index", "admin", None),
    route("POST", "/admin/verify", "admin", None),
    route("POST", "/admin/reindex", "admin", None),
    route("DELETE", "/admin/reindex", "admin", None),
    route("POST", "/admin/reindex/rollback", "admin", None),
    route("GET", "/admin/dead-letters", "admin", None),
    route("GET", "/admin/dead-letters/{key}", "admin", None),
    route("POST", "/admin/dead-letters/retry", "admin", None),
    route("POST", "/admin/dead-letters/drop", "admin", None),
];

impl Route {
    /// Returns the member that describes an error in words. Routes of Algolia's protocol have errors of another form.
    pub(super) fn description(&self) -> &'static str {
        if self.path.starts_with("/1/") { "message" } else { "detail" }
    }

    /// Returns an example path of the route, with ids that do not exist.
    pub(super) fn example(&self) -> String {
        let path = self.path.replace("{id}", "0000000000000000").replace("{key}", "none");
        let path =
            path.replace("{index}", "products").replace("{object}", "none").replace("{facet}", "brand");
        let path = path.replace("{name}", "a.png").replace("{version}", "0123456789abcdef0123456789abcdef");
        path.replace("{field}", "brand").replace("{*rest}", "swagger-ui.css")
    }
}

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    access: Access,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_has_every_route_with_the_scope_that_the_router_asks_for() {
    let shop = Shop::new();
    let app = App::open(shop.folder().as_ref(), Options::default()).await.unwrap();
    let access = Flags::parse_from(["noren", "--access=keys"]).access;
    let folder = DataDir { data_dir: shop.folder().into() };
    let reach = Reach::Address(([0, 0, 0, 0], 80).into());
    let store = api::access::open_store(&access, &folder).await.unwrap();
    let guard = access.guard(reach, Some(Arc::new(Keyring::new(store)))).unwrap();
    let (router, requirements) = app.service(guard, 0).into_router_with_requirements();
    drop(router);
    app.stop().await;
    let name = |requirement| match requirement {
        Requirement::Public => PUBLIC,
        Requirement::Scope(scope) => scope.name(),
    };
    let of_router: BTreeSet<_> = requirements
        .all()
        .into_iter()
        .map(|(path, method, requirement)| (path, method.to_string(), name(requirement).to_owned()))
        .collect();
    let of_table: BTreeSet<_> = ROUTES
        .iter()
        .map(|route| (route.path.to_owned(), route.method.to_owned(), route.needs.to_owned()))
        .collect();
    let missing: Vec<_> = of_router.difference(&of_table).collect();
    let unknown: Vec<_> = of_table.difference(&of_router).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "not in the table: {missing:?}; no such route: {unknown:?}"
    );
}
