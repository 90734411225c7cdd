// Random interactions with InstantSearch: after each, what its widgets show is compared with the answer of Noren's own API. Runs in
// Node.js as well as in a browser.

function same(found, expected, message) {
  const [left, right] = [found, expected].map((value) => JSON.stringify(value));
  if (left !== right) throw new Error(`${message}: ${left} instead of ${right}`);
}

const LEVELS = ['categories.lvl0', 'categories.lvl1', 'categories.lvl2'];
const SORTS = ['products', 'products_price_asc', 'products_price_desc', 'products_newest', 'products_name'];
const WORDS = [
  '',
  'lamp',
  'tea',
  'black',
  'shoes for kids',
  'wooden table',
  'cermaic teepot',
  'headphones with mic',
  'zzzzqq',
];
const LIMIT = 8;

class Page {
  /** The latest render options of each widget, by name. */
  shown = {};

  constructor({ instantsearch, connectors, searchClient, origin, random }) {
    this.origin = origin;
    this.random = random;
    this.search = instantsearch({ indexName: 'products', searchClient });
    this.search.on('error', ({ error }) => {
      throw error;
    });
    const keep = (name) => (options) => {
      this.shown[name] = options;
    };
    const list = (attribute) =>
      connectors.connectRefinementList(keep(attribute))({ attribute, limit: LIMIT, operator: 'or' });
    this.search.addWidgets([
      connectors.connectSearchBox(keep('box'))({}),
      connectors.connectHits(keep('hits'))({}),
      list('brand'),
      list('tags'),
      list('attributes.colour'),
      connectors.connectHierarchicalMenu(keep('menu'))({ attributes: LEVELS, limit: 50 }),
      connectors.connectRange(keep('price'))({ attribute: 'price', precision: 2 }),
      connectors.connectSortBy(keep('sort'))({ items: SORTS.map((value) => ({ value, label: value })) }),
      connectors.connectPagination(keep('pages'))({}),
      connectors.connectHitsPerPage(keep('size'))({
        items: [
          { value: 20, label: '20', default: true },
          { value: 5, label: '5' },
        ],
      }),
      connectors.connectStats(keep('stats'))({}),
      connectors.connectCurrentRefinements(keep('refined'))({}),
      connectors.connectClearRefinements(keep('clear'))({}),
    ]);
  }

  /** Runs `action`, and waits until the widgets show the answer. */
  async settled(action) {
    const rendered = new Promise((resolve) => this.search.once('render', resolve));
    action();
    await rendered;
    while (this.search.status !== 'idle') {
      await new Promise((resolve) => this.search.once('render', resolve));
    }
  }

  /** Performs one random action of a shopper. Returns its name, or undefined if the page does not offer it now. */
  async interact() {
    const { shown, random } = this;
    const pick = (list) => list[random(list.length)];
    const anyItem = (items, name) => items.length > 0 && (() => shown[name].refine(pick(items).value));
    const widest = shown.price.range;
    const actions = {
      type: () => shown.box.refine(pick(WORDS)),
      brand: anyItem(shown.brand.items, 'brand'),
      tag: anyItem(shown.tags.items, 'tags'),
      colour: anyItem(shown['attributes.colour'].items, 'attributes.colour'),
      category: anyItem(flat(shown.menu.items), 'menu'),
      price: widest.max > widest.min && (() => shown.price.refine(narrowed(widest, random))),
      sort: () => shown.sort.refine(pick(SORTS)),
      page: shown.pages.nbPages > 1 && (() => shown.pages.refine(random(Math.min(shown.pages.nbPages, 5)))),
      size: () => shown.size.refine(pick([5, 20])),
      clear: random(3) === 0 && shown.clear.canRefine && (() => shown.clear.refine()),
    };
    const name = pick(Object.keys(actions));
    const before = JSON.stringify(this.search.getUiState());
    if (!actions[name]) return undefined;
    let rendered = false;
    const settled = this.settled(actions[name]).then(() => (rendered = true));
    // An action that changes nothing sends no request and renders nothing.
    await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, 300))]);
    if (!rendered && JSON.stringify(this.search.getUiState()) !== before) await settled;
    return name;
  }

  /** Searches with Noren's own API. */
  async own(parameters) {
    const response = await fetch(`${this.origin}/products/search?${new URLSearchParams(parameters)}`);
    const answer = await response.json();
    same(response.status, 200, JSON.stringify(answer));
    return answer;
  }

  /** Compares the widgets with the own API. */
  async compare(context) {
    const { shown } = this;
    const state = this.search.getUiState().products ?? {};
    const helper = this.search.helper.state;
    const parameters = [
      ['query', helper.query ?? ''],
      ['page', String((helper.page ?? 0) + 1)],
      ['pageSize', String(helper.hitsPerPage)],
      ['facets', 'brand,category,tags,attributes.colour,price'],
      ['facetSize', '1000'],
    ];
    const sort = helper.index.slice('products_'.length);
    if (sort) parameters.push(['sortBy', sort]);
    const refined = state.refinementList ?? {};
    for (const [attribute, values] of Object.entries(refined)) {
      values.forEach((value) => parameters.push([attribute, value]));
    }
    const category = state.hierarchicalMenu?.[LEVELS[0]];
    if (category) parameters.push(['category', category.join(' > ')]);
    const range = state.range?.price?.split(':');
    if (range) parameters.push(['priceRange', range.join('-')]);
    const answer = await this.own(parameters);
    const message = `${context}: ${JSON.stringify(parameters)}`;
    same(shown.stats.nbHits, answer.total + (answer.relaxedTotal ?? 0), message);
    same(
      shown.hits.items.map((hit) => hit.objectID),
      answer.products.map((product) => product.id),
      message,
    );
    for (const name of ['brand', 'tags', 'attributes.colour']) {
      compareValues(shown[name].items, answer.facets[name].values, refined[name] ?? [], `${message}, ${name}`);
    }
    const counts = new Map(answer.facets.category.values.map(({ value, count }) => [value, count]));
    for (const item of flat(shown.menu.items)) {
      same(item.count, counts.get(item.value), `${message}, category ${item.value}`);
    }
    const top = [...counts.keys()].filter((path) => !path.includes(' > '));
    same(shown.menu.items.map((item) => item.value).sort(), top.sort(), message);
    const price = answer.facets.price;
    if (price) {
      // The widget rounds outwards.
      const [min, max] = [Math.floor(price.min * 100) / 100, Math.ceil(price.max * 100) / 100];
      same(shown.price.range, { min, max }, message);
    }
  }
}

/** Returns the items of a menu and all below them. */
function flat(items) {
  return items.flatMap((item) => [item, ...flat(item.data ?? [])]);
}

function narrowed({ min, max }, random) {
  const cents = Math.round((max - min) * 100);
  const low = random(cents);
  const high = low + random(cents - low + 1);
  return [min + low / 100, min + high / 100].map((price) => Number(price.toFixed(2)));
}

function compareValues(items, values, refined, message) {
  const counts = new Map(values.map(({ value, count }) => [value, count]));
  for (const item of items) {
    same(item.count, counts.get(item.value) ?? 0, `${message}, ${item.value}`);
    same(item.isRefined, refined.includes(item.value), `${message}, ${item.value}`);
  }
  const all = new Set([...counts.keys(), ...refined]);
  same(items.length, Math.min(LIMIT, all.size), message);
}

/** Interacts `count` times with a page of InstantSearch. Returns how often each action was taken. */
export async function interact({ count, seed, ...options }) {
  // Lehmer's generator: the same numbers in each run.
  let state = seed;
  const random = (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  const page = new Page({ ...options, random });
  await page.settled(() => page.search.start());
  await page.compare('at first');
  const done = {};
  for (let step = 0; step < count;) {
    const action = await page.interact();
    if (!action) continue;
    step += 1;
    done[action] = (done[action] ?? 0) + 1;
    await page.compare(`seed ${seed}, step ${step}, ${action}`);
  }
  page.search.dispose();
  return done;
}
