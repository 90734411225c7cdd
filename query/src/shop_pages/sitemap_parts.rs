//! The division of a sitemap into parts.
//!
//! Each part is a range of ids. A product that exists the whole time is therefore in exactly one part, whatever is written between
//! the requests for two parts.

use api::problems::{OrProblem as _, SEARCH_INDEX};
use domain::ProductId;
use domain::search::{Cursor, MAX_PAGE_SIZE, Page, PageStart, SearchAnswer, SearchRequest};
use runtime::Problem;
use storefront::sitemap::Sitemap;
use tokio::sync::Mutex;

use crate::search_service::SearchService;

/// The most parts. Products after the last part are not listed.
pub(super) const MAX_PARTS: usize = 40;

/// The parts of a sitemap.
#[derive(Debug)]
pub(super) struct SitemapParts {
    /// The number of products in a new part. A part that grows to nearly twice as many is divided.
    size: usize,
    /// The ends of the parts that were found so far. The last part has no end. The lock admits one request at a time, because each
    /// reads many products.
    ends: Mutex<Vec<PartEnd>>,
}

/// The end of a part.
#[derive(Debug, Clone)]
struct PartEnd {
    /// The last product of the part.
    last: ProductId,
    /// The start of the next part.
    next: Cursor,
}

impl SitemapParts {
    /// Divides products into parts of this size.
    pub(super) fn of_size(size: usize) -> Self {
        Self { size, ends: Mutex::default() }
    }

    /// Returns the number of parts.
    ///
    /// # Errors
    /// If the index fails.
    pub(super) async fn count(&self, service: &SearchService) -> Result<usize, Problem> {
        let mut ends = self.ends.lock().await;
        self.find_ends(service, &mut ends, MAX_PARTS).await?;
        Ok((ends.len() + 1).min(MAX_PARTS))
    }

    /// Returns the part with this number, from 1, as XML; `None` if there is no such part. `base` is the address of the service.
    ///
    /// # Errors
    /// If the index fails.
    pub(super) async fn write(
        &self,
        service: &SearchService,
        base: &str,
        number: usize,
    ) -> Result<Option<Vec<u8>>, Problem> {
        let mut ends = self.ends.lock().await;
        // This also finds the end of the part itself, at which the next one begins.
        self.find_ends(service, &mut ends, number).await?;
        if number == 0 || number > MAX_PARTS || number > ends.len() + 1 {
            return Ok(None);
        }
        let last = ends.get(number - 1).map(|end| end.last.clone());
        let mut start = number.checked_sub(2).map(|before| ends[before].next.clone());
        let mut sitemap = Sitemap::new(base);
        let mut count = 0;
        loop {
            let answer = products_from(service, start).await?;
            let of_part = |id: &ProductId| last.as_ref().is_none_or(|last| id <= last);
            let hits = answer.hits.iter().take_while(|hit| of_part(&hit.product.id));
            count += hits.map(|hit| sitemap.add(&hit.product)).count();
            let is_over =
                answer.hits.last().zip(last.as_ref()).is_some_and(|(hit, last)| hit.product.id >= *last);
            let (false, Some(next), Some(hit)) = (is_over, answer.next, answer.hits.last()) else {
                return Ok(Some(sitemap.finish()));
            };
            if count + MAX_PAGE_SIZE > 2 * self.size {
                ends.insert(number - 1, PartEnd { last: hit.product.id.clone(), next });
                return Ok(Some(sitemap.finish()));
            }
            start = Some(next);
        }
    }

    /// Finds ends until there are `count`, or until the remaining products are one part. If the request times out, the ends that were
    /// found stay known.
    async fn find_ends(
        &self,
        service: &SearchService,
        ends: &mut Vec<PartEnd>,
        count: usize,
    ) -> Result<(), Problem> {
        while ends.len() < count {
            let start = ends.last().map(|end| end.next.clone());
            let Some(end) = self.find_end(service, start).await? else { return Ok(()) };
            ends.push(end);
        }
        Ok(())
    }

    /// Returns the end of the part that begins at a cursor; `None` if it is the last one.
    async fn find_end(
        &self,
        service: &SearchService,
        mut start: Option<Cursor>,
    ) -> Result<Option<PartEnd>, Problem> {
        let mut count = 0;
        loop {
            let answer = products_from(service, start).await?;
            count += answer.hits.len();
            let (Some(next), Some(last)) = (answer.next, answer.hits.last()) else { return Ok(None) };
            if count >= self.size {
                return Ok(Some(PartEnd { last: last.product.id.clone(), next }));
            }
            start = Some(next);
        }
    }
}

/// Returns a page of active products after a cursor, in the order of their ids, without any restriction.
async fn products_from(service: &SearchService, start: Option<Cursor>) -> Result<SearchAnswer, Problem> {
    let start = start.map_or(PageStart::Number(1), PageStart::After);
    let page = Page { start, size: MAX_PAGE_SIZE };
    let request = SearchRequest { page, ..SearchRequest::all(service.settings.currency) };
    service.index.search(&request).await.or_problem(SEARCH_INDEX)
}

#[cfg(test)]
#[cfg(feature = "embedded")]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use domain::input::read_product;
    use domain::ports::IndexWriter as _;
    use domain::{Change, Currency, Product, Tombstone, Version};
    use tantivy_index::TantivyWriter;

    use super::*;
    use crate::test_index;

    struct Catalogue {
        writer: TantivyWriter,
        service: SearchService,
        parts: SitemapParts,
        _folder: tempfile::TempDir,
    }

    impl Catalogue {
        fn new() -> Self {
            let (folder, writer, searcher) = test_index::empty();
            let service = SearchService::new(Arc::new(searcher), test_index::settings());
            Self { writer, service, parts: SitemapParts::of_size(200), _folder: folder }
        }

        async fn create(&self, ids: impl Iterator<Item = String>) {
            let product = |id: String| Product {
                id: ProductId::parse(&id).unwrap(),
                version: Version::FIRST,
                created_at: domain::now(),
                updated_at: domain::now(),
                content: read_product(br#"{"name": "Lamp"}"#, Currency::USD).unwrap().content,
            };
            let changes: Vec<Change> = ids.map(|id| Change::Create(Arc::new(product(id)))).collect();
            self.writer.apply(&changes).await.unwrap();
        }

        async fn delete(&self, ids: impl Iterator<Item = String>) {
            let delete = |id: String| {
                Change::Delete(Tombstone {
                    id: ProductId::parse(&id).unwrap(),
                    version: Version(2),
                    deleted_at: domain::now(),
                })
            };
            self.writer.apply(&ids.map(delete).collect::<Vec<_>>()).await.unwrap();
        }

        async fn part(&self, number: usize) -> Vec<String> {
            let xml = self.parts.write(&self.service, "http://shop.example", number).await.unwrap().unwrap();
            let xml = String::from_utf8(xml).unwrap();
            let ids = xml.split("/shop/products/").skip(1).filter_map(|rest| rest.split('<').next());
            ids.map(str::to_owned).collect()
        }

        /// Returns how often each product is in the sitemap.
        async fn listed(&self) -> BTreeMap<String, usize> {
            let mut listed = BTreeMap::new();
            for number in 1..=self.parts.count(&self.service).await.unwrap() {
                for id in self.part(number).await {
                    *listed.entry(id).or_default() += 1;
                }
            }
            listed
        }

        async fn lists_each_once(&self, ids: impl Iterator<Item = String>) {
            let (listed, expected) = (self.listed().await, ids.map(|id| (id, 1)).collect::<BTreeMap<_, _>>());
            let missing: Vec<&String> =
                expected.keys().filter(|id| !listed.contains_key(*id)).take(5).collect();
            assert!(listed == expected, "{} of {}; missing are {missing:?}", listed.len(), expected.len());
        }
    }

    fn ids(numbers: std::ops::Range<usize>) -> impl Iterator<Item = String> {
        numbers.map(|number| format!("p{number:05}"))
    }

    #[tokio::test]
    async fn every_product_is_in_one_part() {
        let catalogue = Catalogue::new();
        assert_eq!(catalogue.listed().await, BTreeMap::new());
        catalogue.create(ids(0..150)).await;
        assert_eq!(catalogue.parts.count(&catalogue.service).await.unwrap(), 1);
        catalogue.lists_each_once(ids(0..150)).await;
        catalogue.create(ids(150..730)).await;
        assert_eq!(catalogue.parts.count(&catalogue.service).await.unwrap(), 4);
        catalogue.lists_each_once(ids(0..730)).await;
        for number in [0, 5, 41] {
            let part = catalogue.parts.write(&catalogue.service, "", number).await.unwrap();
            assert!(part.is_none(), "{number}");
        }
    }

    #[tokio::test]
    async fn a_product_that_stays_is_listed_although_others_come_and_go_between_two_requests() {
        let catalogue = Catalogue::new();
        catalogue.create(ids(1000..1700)).await;
        let first = catalogue.part(1).await;
        catalogue.delete(ids(1000..1150)).await;
        catalogue.create(ids(0..100)).await;
        let mut listed = first;
        for number in 2..=4 {
            listed.extend(catalogue.part(number).await);
        }
        listed.sort();
        let kept: Vec<String> = ids(1150..1700).collect();
        assert_eq!(listed.iter().filter(|id| kept.contains(*id)).count(), kept.len());
        listed.dedup();
        assert_eq!(listed.iter().filter(|id| kept.contains(*id)).count(), kept.len(), "none is there twice");
    }

    #[tokio::test]
    async fn a_part_that_grows_is_divided_and_the_last_one_too() {
        let catalogue = Catalogue::new();
        catalogue.create(ids(1000..1500)).await;
        catalogue.lists_each_once(ids(1000..1500)).await;
        catalogue.create(ids(0..1000)).await;
        catalogue.create(ids(1500..2600)).await;
        // Reading all parts once divides those that have grown.
        catalogue.listed().await;
        catalogue.lists_each_once(ids(0..2600)).await;
    }
}
