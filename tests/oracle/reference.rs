//! The search, straight from the words of the port's documents, without any cleverness.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::ports::{ENOUGH_PRODUCTS, FEW_PRODUCTS, Indexed, IndexedState};
use domain::search::{
    Facet, FacetRequest, FacetValue, Field, Filters, MAX_BOOST, MatchMode, SearchRequest, Sort, Synonym,
    is_searchable, name_sort_key, number_facet, price_facet,
};
use domain::{AttributeValue, Product, Version};

/// What must be found.
pub(crate) struct Found<'a> {
    /// In order, except by relevance with words.
    pub(crate) products: Vec<FoundProduct<'a>>,
    pub(crate) facets: Vec<(Field, Facet)>,
    pub(crate) has_words: bool,
    /// Words left out, folded.
    pub(crate) relaxed: Vec<String>,
}

pub(crate) struct FoundProduct<'a> {
    pub(crate) product: &'a Arc<Product>,
    /// How early the shop wants it before all others; more is earlier, 0 is not at all.
    pub(crate) pinned: usize,
    pub(crate) class: Class,
}

/// How many words were found exactly and as beginnings, and how well those with typos: more comes first.
pub(crate) type Class = [usize; 3];

pub(crate) fn search<'a>(
    products: impl Iterator<Item = &'a Arc<Product>>,
    request: &SearchRequest,
) -> Found<'a> {
    let products: Vec<&Arc<Product>> = products.filter(|product| is_searchable(product)).collect();
    let (query, relaxed) = read(request, &products);
    let matching = with_pinned(&products, &query, request);
    let facets =
        request.facets.iter().map(|field| (field.clone(), facet(&matching, field, request))).collect();
    let mut products: Vec<_> =
        matching.into_iter().filter(|found| failed(found.product, request).is_empty()).collect();
    products.sort_by(|a, b| b.pinned.cmp(&a.pinned).then_with(|| compare(a.product, b.product, request)));
    Found { products, facets, has_words: !query.is_empty(), relaxed }
}

fn matching<'a>(products: &[&'a Arc<Product>], query: &[QueryWord]) -> Vec<FoundProduct<'a>> {
    let found =
        |product: &&'a Arc<Product>| Some(FoundProduct { product, pinned: 0, class: class(product, query)? });
    products.iter().filter_map(found).collect()
}

/// What the words find and what the shop pins, without what it hides.
fn with_pinned<'a>(
    products: &[&'a Arc<Product>],
    query: &[QueryWord],
    request: &SearchRequest,
) -> Vec<FoundProduct<'a>> {
    let pinned = if request.sort == Sort::Relevance { request.tuning.pinned.as_slice() } else { &[] };
    let mut found = Vec::new();
    for product in shown(products, request) {
        let place = pinned.iter().position(|id| *id == product.id);
        let pinned = place.map_or(0, |place| pinned.len() - place);
        match class(product, query) {
            Some(class) => found.push(FoundProduct { product, pinned, class }),
            None if pinned > 0 => found.push(FoundProduct { product, pinned, class: Class::default() }),
            None => {}
        }
    }
    found
}

/// The products that the shop does not hide.
fn shown<'a>(products: &[&'a Arc<Product>], request: &SearchRequest) -> Vec<&'a Arc<Product>> {
    products.iter().filter(|product| !request.tuning.hidden.contains(&product.id)).copied().collect()
}

/// What an index holds of a product, or of what it was.
pub(crate) fn indexed(version: Version, product: Option<&Arc<Product>>) -> Indexed {
    let state = match product {
        None => IndexedState::Deleted,
        Some(product) if is_searchable(product) => IndexedState::Active(Arc::clone(product)),
        Some(_) => IndexedState::Hidden,
    };
    Indexed { version, state }
}

pub(crate) fn facet_values<'a>(
    products: impl Iterator<Item = &'a Arc<Product>>,
    request: &FacetRequest,
) -> Vec<FacetValue> {
    let products: Vec<&Arc<Product>> = products.filter(|product| is_searchable(product)).collect();
    let (query, _) = read(&request.search, &products);
    let matching = with_pinned(&products, &query, &request.search);
    let mut counted = counts(&matching, &request.field, &request.search);
    let fit = |value: &FacetValue| fit(&request.prefix, &value.value);
    let exact = counted.iter().filter(|value| fit(value).is_some_and(|fit| fit <= INSIDE)).count();
    counted.retain(|value| fit(value).is_some_and(|fit| fit <= INSIDE || exact < request.limit));
    counted.sort_by_key(fit);
    counted.truncate(request.limit);
    counted
}

// ------------------------------------------------------------------------------------------------ words

#[derive(Clone, PartialEq)]
struct QueryWord {
    text: String,
    is_last: bool,
    /// With the word before and with the word behind.
    joined: Vec<String>,
    /// What the shop says that stands for it: words that must all be there.
    synonyms: Vec<Vec<String>>,
    /// Words of the catalogue that it may have been meant to be, in singular and plural, with the fewest typos.
    near: BTreeMap<String, usize>,
    is_required: bool,
}

pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase().replace('é', "e")
}

fn split(text: &str) -> Vec<String> {
    folded(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Each word once, the last one also when it came before; without stop words, unless there are no others.
fn query_words(request: &SearchRequest) -> Vec<QueryWord> {
    let words = split(&request.words);
    let stop: Vec<String> = request.tuning.stop_words.iter().map(|word| split(word).concat()).collect();
    let is_stop = |word: &str| stop.iter().any(|stop| base(stop) == base(word));
    let has_others = words.iter().any(|word| !is_stop(word));
    let pairs: Vec<Option<String>> = words.windows(2).map(joined).collect();
    let mut query: Vec<QueryWord> = Vec::new();
    for (at, text) in words.iter().enumerate() {
        if has_others && is_stop(text) {
            continue;
        }
        let is_last = at + 1 == words.len();
        let before = at.checked_sub(1).and_then(|before| pairs.get(before));
        let joined = before.into_iter().chain(pairs.get(at)).flatten().cloned();
        let synonyms = request.tuning.synonyms.iter().filter(|synonym| is_part_of(at, &words, synonym));
        let synonyms = synonyms.flat_map(|synonym| &synonym.to).map(|to| split(to));
        match query.iter_mut().find(|known| known.text == *text && !is_last) {
            Some(known) => {
                known.joined.extend(joined);
                known.synonyms.extend(synonyms);
            }
            None => query.push(QueryWord {
                text: text.clone(),
                is_last,
                joined: joined.collect(),
                synonyms: synonyms.collect(),
                near: BTreeMap::new(),
                is_required: true,
            }),
        }
    }
    query
}

/// Whether the word at this place belongs to words that the synonym is for.
fn is_part_of(at: usize, words: &[String], synonym: &Synonym) -> bool {
    let from = split(&synonym.from);
    let is_here = |part: &[String]| part.iter().zip(&from).all(|(word, from)| base(word) == base(from));
    let mut places = words.windows(from.len().max(1)).enumerate().filter(|(_, part)| is_here(part));
    !from.is_empty() && places.any(|(start, _)| (start..start + from.len()).contains(&at))
}

/// The one form of a word that stands for all.
fn base(word: &str) -> String {
    forms(word).pop().unwrap()
}

/// The words as the index reads them, and those that need not be found.
fn read(request: &SearchRequest, products: &[&Arc<Product>]) -> (Vec<QueryWord>, Vec<String>) {
    let mut query = query_words(request);
    let shown = shown(products, request);
    let count = |words: &[QueryWord]| matching(&shown, words).len();
    // How rare a word is, does not depend on what a shop hides.
    let have = |word: &QueryWord| matching(products, std::slice::from_ref(word)).len();
    if request.match_mode == MatchMode::Any {
        let as_typed = |word: QueryWord| QueryWord { is_last: false, is_required: false, ..word };
        return (query.into_iter().map(as_typed).collect(), Vec::new());
    }
    if let Some(last) = query.last_mut().filter(|last| last.is_last) {
        let as_word = QueryWord { is_last: false, ..last.clone() };
        last.is_last = request.is_prefix_query || have(&as_word) < ENOUGH_PRODUCTS;
    }
    if !query.is_empty() && count(&query) < FEW_PRODUCTS {
        for word in &mut query {
            if have(word) < FEW_PRODUCTS {
                word.near = near_words(&word.text, products);
            }
        }
    }
    let enough = if request.sort == Sort::Relevance { ENOUGH_PRODUCTS } else { 1 };
    if query.len() < 2 || request.match_mode != MatchMode::Most || count(&query) >= enough {
        return (query, Vec::new());
    }
    let telling = |word: &QueryWord| {
        let word = std::slice::from_ref(word);
        match shown.iter().filter(|product| class(product, word).is_some_and(|class| class[0] > 0)).count() {
            0 => count(word),
            itself => itself,
        }
    };
    let alone: Vec<usize> = query.iter().map(telling).collect();
    if alone.iter().all(|found| *found == 0) {
        return (query, Vec::new());
    }
    for (word, found) in query.iter_mut().zip(&alone) {
        word.is_required = *found > 0;
    }
    while count(&query) < enough && query.iter().filter(|word| word.is_required).count() > 1 {
        let required = (0..query.len()).filter(|at| query[*at].is_required);
        let most = required.max_by_key(|at| (alone[*at], *at)).unwrap();
        query[most].is_required = false;
    }
    let optional = query.iter().filter(|word| !word.is_required).map(|word| word.text.clone());
    let optional = optional.collect();
    (query, optional)
}

/// The word itself and, where it looks like an English plural, its singular.
fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned()];
    let is_plural = word.len() >= 4
        && word.ends_with('s')
        && word.chars().all(|c| c.is_ascii_lowercase())
        && !["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    if is_plural {
        let cut = |bytes: usize| word[..word.len() - bytes].to_owned();
        forms.push(if word.ends_with("ies") {
            cut(3) + "y"
        } else if ["sses", "ches", "shes", "xes"].iter().any(|end| word.ends_with(end)) {
            cut(2)
        } else {
            cut(1)
        });
    }
    forms
}

/// Two neighbours as one word. Codes and long numbers have none.
fn joined(pair: &[String]) -> Option<String> {
    let may_join = |word: &String| {
        word.chars().all(|c| c.is_ascii_lowercase())
            || (word.len() <= 4 && word.chars().all(|c| c.is_ascii_digit()))
    };
    Some(pair.concat()).filter(|whole| pair.iter().all(may_join) && whole.len() <= 40)
}

/// Neighbours are looked at among so many words that a text begins with.
const PAIRED_WORDS: usize = 10;

/// What there is to find of a product.
struct ProductWords {
    /// Every word in all its forms, and model numbers without hyphens.
    words: BTreeSet<String>,
    /// Neighbours written as one word.
    pairs: BTreeSet<String>,
}

fn product_words(product: &Product) -> ProductWords {
    let content = &product.content;
    let mut labels = vec![content.name.clone()];
    labels.extend(content.category.iter().flat_map(|path| path.levels().iter().cloned()));
    labels.extend(content.tags.iter().cloned());
    let mut values: Vec<String> = content.sku.iter().chain(&content.brand).cloned().collect();
    for value in content.attributes.values().filter(|value| !matches!(value, AttributeValue::Flag(_))) {
        values.extend(value.facet_values().map(std::borrow::Cow::into_owned));
    }
    let texts = labels.iter().chain(&values).chain(&content.description);
    let mut words: BTreeSet<String> =
        texts.clone().flat_map(|text| split(text)).flat_map(|word| forms(&word)).collect();
    for text in texts {
        for compound in folded(text).split(|c: char| !c.is_alphanumeric() && c != '-') {
            let whole = compound.replace('-', "");
            let is_joined = compound.contains('-') && !compound.contains("--");
            let has_both = whole.chars().any(char::is_alphabetic) && whole.chars().any(char::is_numeric);
            if is_joined && has_both && split(compound).len() > 1 {
                words.insert(whole);
            }
        }
    }
    words.extend(content.sku.iter().map(|sku| folded(sku).replace(|c: char| !c.is_alphanumeric(), "")));
    let mut pairs = BTreeSet::new();
    let labels = labels.iter().map(|text| (text, true, true));
    let values = values.iter().map(|text| (text, false, true));
    let description = content.description.iter().map(|text| (text, true, false));
    for (text, has_pairs, has_sizes) in labels.chain(values).chain(description) {
        for (at, pair) in split(text).windows(2).enumerate() {
            let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
            let is_size = is_number(&pair[0]) && !is_number(&pair[1]);
            if (has_pairs && at + 1 < PAIRED_WORDS) || (has_sizes && is_size) {
                pairs.extend(joined(pair).iter().flat_map(|pair| forms(pair)));
            }
        }
    }
    ProductWords { words, pairs }
}

fn class(product: &Product, query: &[QueryWord]) -> Option<Class> {
    if query.is_empty() {
        return Some([0; 3]);
    }
    let product = product_words(product);
    let (mut class, mut is_found) = ([0; 3], false);
    for wanted in query {
        match found_as(wanted, &product) {
            Some((kind, points)) => {
                class[kind] += points;
                is_found = true;
            }
            None if wanted.is_required => return None,
            None => {}
        }
    }
    is_found.then_some(class)
}

/// In which way a word is found, and what that counts.
fn found_as(wanted: &QueryWord, product: &ProductWords) -> Option<(usize, usize)> {
    let ProductWords { words, pairs } = product;
    let own = forms(&wanted.text);
    let mut joined = wanted.joined.iter().flat_map(|joined| forms(joined));
    if own.iter().any(|form| words.contains(form) || pairs.contains(form))
        || joined.any(|joined| words.contains(&joined))
        || wanted
            .synonyms
            .iter()
            .any(|all| !all.is_empty() && all.iter().all(|word| words.contains(&base(word))))
    {
        return Some((0, 1));
    }
    if wanted.is_last && words.iter().any(|word| word.starts_with(&wanted.text)) {
        return Some((1, 1));
    }
    let near = words.iter().filter_map(|word| wanted.near.get(word)).min();
    near.map(|typos| (2, 3 - typos))
}

fn near_words(wanted: &str, products: &[&Arc<Product>]) -> BTreeMap<String, usize> {
    let mut near = BTreeMap::new();
    for word in products.iter().flat_map(|product| product_words(product).words) {
        if let Some(typos) = typos(wanted, &word).filter(|typos| *typos > 0) {
            for form in forms(&word) {
                let fewest = near.entry(form).or_insert(typos);
                *fewest = typos.min(*fewest);
            }
        }
    }
    near
}

/// How many typos lie between two words, when the first one may have so many.
fn typos(wanted: &str, word: &str) -> Option<usize> {
    let has_digit = |word: &str| word.chars().any(char::is_numeric);
    if has_digit(wanted) || has_digit(word) {
        return None;
    }
    let allowed = match wanted.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    };
    Some(distance(wanted, word)).filter(|typos| *typos <= allowed)
}

/// Letters to insert, remove, replace, or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let mut best = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        best = best.min(table[i - 2][j - 2] + 1);
                    }
                    best
                }
            };
        }
    }
    table[a.len()][b.len()]
}

/// How a value fits a prefix: it begins so, words inside do, or it has typos.
fn fit(prefix: &str, value: &str) -> Option<usize> {
    if value.to_lowercase().starts_with(&prefix.to_lowercase()) {
        return Some(BEGINS);
    }
    let (prefix, value) = (split(prefix), split(&value[..value.floor_char_boundary(COMPARED_BYTES)]));
    let (last, others) = prefix.split_last()?;
    let fits = value.windows(prefix.len()).enumerate().filter_map(|(at, part)| {
        let beginnings = part[others.len()].char_indices().map(|(end, _)| end).skip(1);
        let beginnings = beginnings.chain([part[others.len()].len()]).map(|end| &part[others.len()][..end]);
        let mut all = beginnings.filter_map(|word| near(last, word)).min()?;
        for (own, word) in others.iter().zip(part) {
            all += near(own, word)?;
        }
        match all {
            0 if at == 0 => Some(BEGINS),
            0 => Some(INSIDE),
            1 | 2 => Some(INSIDE + all),
            _ => None,
        }
    });
    fits.min()
}

/// How much of a long value is compared.
const COMPARED_BYTES: usize = 200;
const BEGINS: usize = 0;
const INSIDE: usize = 1;

fn near(wanted: &str, word: &str) -> Option<usize> {
    if wanted == word { Some(0) } else { typos(wanted, word) }
}

// ---------------------------------------------------------------------------------------------- filters

/// The fields whose filters the product fails; none stands for the stock.
fn failed(product: &Product, request: &SearchRequest) -> BTreeSet<Option<Field>> {
    failed_of(product, &request.filters, request)
}

fn failed_of(product: &Product, filters: &Filters, request: &SearchRequest) -> BTreeSet<Option<Field>> {
    let content = &product.content;
    let mut failed = BTreeSet::new();
    let mut check = |field, is_wanted: bool, passes: bool| {
        if is_wanted && !passes {
            failed.insert(field);
        }
    };
    let category = content.category.as_ref();
    let in_category =
        filters.category.iter().any(|wanted| category.is_some_and(|path| path.is_within(wanted)));
    check(Some(Field::Category), !filters.category.is_empty(), in_category);
    let of_brand = content.brand.as_ref().is_some_and(|brand| filters.brand.contains(brand));
    check(Some(Field::Brand), !filters.brand.is_empty(), of_brand);
    let tagged = content.tags.iter().any(|tag| filters.tags.contains(tag));
    check(Some(Field::Tags), !filters.tags.is_empty(), tagged);
    let price = price(product, request);
    let in_range = filters.price.iter().any(|range| price.is_some_and(|price| range.contains(price)));
    check(Some(Field::Price), !filters.price.is_empty(), in_range);
    let in_stock = content.stock.is_some_and(|pieces| pieces > 0);
    check(None, filters.in_stock.is_some(), filters.in_stock == Some(in_stock));
    for (key, wanted) in &filters.attributes {
        let value = content.attributes.get(key);
        let passes = wanted.iter().any(|filter| value.is_some_and(|value| filter.accepts(value)));
        check(Some(Field::Attribute(key.clone())), !wanted.is_empty(), passes);
    }
    failed
}

fn price(product: &Product, request: &SearchRequest) -> Option<i64> {
    let price = product.content.price.filter(|price| price.currency() == request.currency);
    price.map(domain::Money::minor_units)
}

// ----------------------------------------------------------------------------------------------- facets

/// Products that fail no filter but those of the facet's own field.
fn counting<'a>(
    matching: &'a [FoundProduct<'_>],
    field: &'a Field,
    request: &'a SearchRequest,
) -> impl Iterator<Item = &'a Product> {
    let counts =
        |product: &Product| failed(product, request).iter().all(|failed| failed.as_ref() == Some(field));
    matching.iter().map(|found| &**found.product).filter(move |product| counts(product))
}

fn facet(matching: &[FoundProduct<'_>], field: &Field, request: &SearchRequest) -> Facet {
    if *field == Field::Price {
        let prices: Vec<(i64, u64)> = counting(matching, field, request)
            .filter_map(|product| Some((price(product, request)?, 1)))
            .collect();
        return Facet::Price(price_facet(&prices));
    }
    let numbers: Vec<(f64, u64)> = counting(matching, field, request)
        .filter_map(|product| match field {
            Field::Attribute(key) => Some((product.content.attributes.get(key)?.as_number()?, 1)),
            _ => None,
        })
        .collect();
    let mut values = counts(matching, field, request);
    let distinct = values.len();
    values.truncate(request.facet_values);
    Facet::Values { values, distinct, numbers: number_facet(&numbers) }
}

fn counts(matching: &[FoundProduct<'_>], field: &Field, request: &SearchRequest) -> Vec<FacetValue> {
    let mut counts = BTreeMap::<String, u64>::new();
    for product in counting(matching, field, request) {
        for value in values(product, field) {
            *counts.entry(value).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().map(|(value, count)| FacetValue { value, count }).collect();
    counts.sort_by_key(|counted| (Reverse(counted.count), counted.value.clone()));
    counts
}

fn values(product: &Product, field: &Field) -> BTreeSet<String> {
    let content = &product.content;
    match field {
        Field::Brand => content.brand.iter().cloned().collect(),
        Field::Category => content.category.iter().flat_map(|path| path.with_ancestors()).collect(),
        Field::Tags => content.tags.iter().cloned().collect(),
        Field::Price | Field::Stock => BTreeSet::new(),
        Field::Attribute(key) => {
            let value = content.attributes.get(key);
            value
                .into_iter()
                .flat_map(|value| value.facet_values())
                .map(std::borrow::Cow::into_owned)
                .collect()
        }
    }
}

// ------------------------------------------------------------------------------------------------ order

fn compare(a: &Product, b: &Product, request: &SearchRequest) -> std::cmp::Ordering {
    // Those without a value come last.
    let ascending = |product| price(product, request).map_or((true, 0), |price| (false, price));
    let descending = |product| price(product, request).map_or((true, 0), |price| (false, -price));
    let by_key = match request.sort {
        Sort::Relevance => boost(b, request).total_cmp(&boost(a, request)),
        Sort::PriceAsc => ascending(a).cmp(&ascending(b)),
        Sort::PriceDesc => descending(a).cmp(&descending(b)),
        Sort::Newest => b.created_at.cmp(&a.created_at),
        Sort::Name => name_sort_key(&a.content.name).cmp(&name_sort_key(&b.content.name)),
    };
    by_key.then_with(|| a.id.cmp(&b.id))
}

/// How far the shop moves a product.
fn boost(product: &Product, request: &SearchRequest) -> f32 {
    let boosts = request.tuning.boosts.iter();
    let own = boosts.filter(|boost| failed_of(product, &boost.filters, request).is_empty());
    own.map(|boost| boost.by).sum::<f32>().clamp(-MAX_BOOST, MAX_BOOST)
}
