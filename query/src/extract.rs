//! Extracts the parameters of an endpoint from a request.

use std::marker::PhantomData;
use std::sync::Arc;

use api::problems::bad_parameters;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use runtime::Problem;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::reader::Reader;
use crate::search_service::SearchService;
use search_parameters::RequiredVersions;
use search_parameters::{self as parameters, Endpoint, ParsedSearch};

/// The parameters of the endpoint `E` in the query string, restricted to the products that the client may find, with the writes
/// that the header names and the rules in effect.
pub(crate) struct Parameters<E> {
    pub(crate) search: ParsedSearch,
    pub(crate) reader: Reader,
    endpoint: PhantomData<E>,
}

/// An endpoint as a type.
pub(crate) trait TakesParameters {
    /// The endpoint.
    const ENDPOINT: Endpoint;
}

/// `/products/search`.
pub(crate) struct Search;
/// `/products/facets/{field}`.
pub(crate) struct FacetValues;
/// `/products/suggest`.
pub(crate) struct Suggest;
/// `/products/{id}/similar`.
pub(crate) struct Similar;
/// `/products/{id}/explain`.
pub(crate) struct Explain;

impl TakesParameters for Search {
    const ENDPOINT: Endpoint = Endpoint::Search;
}

impl TakesParameters for FacetValues {
    const ENDPOINT: Endpoint = Endpoint::FacetValues;
}

impl TakesParameters for Suggest {
    const ENDPOINT: Endpoint = Endpoint::Suggest;
}

impl TakesParameters for Similar {
    const ENDPOINT: Endpoint = Endpoint::Similar;
}

impl TakesParameters for Explain {
    const ENDPOINT: Endpoint = Endpoint::Explain;
}

impl<E: TakesParameters> FromRequestParts<Arc<SearchService>> for Parameters<E> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, service: &Arc<SearchService>) -> Result<Self, Problem> {
        let reader = Reader::from_request_parts(parts, service).await?;
        let header = RequiredVersions::from_request_parts(parts, service).await?;
        let query = parts.uri.query().unwrap_or_default();
        let parsed = parameters::read(E::ENDPOINT, query, service.settings.currency);
        let parsed = parsed.and_then(|parsed| Ok(parsed.restricted_to(&reader.restriction)?));
        let mut parsed = parsed.map_err(|faults| bad_parameters(&faults))?;
        parsed.required = header.and(parsed.required)?;
        Ok(Self { search: service.apply_rules(parsed), reader, endpoint: PhantomData })
    }
}

impl<E: TakesParameters> IntoParams for Parameters<E> {
    fn into_params(parameter_in: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut list = parameters::openapi::parameters(E::ENDPOINT);
        list.extend(RequiredVersions::into_params(parameter_in));
        list
    }
}
