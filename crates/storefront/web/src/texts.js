// The texts of the page's language, with numbers, prices and lists as that language writes them.

import { currency as shopCurrency, language } from './page.js';

const texts = JSON.parse(document.getElementById('texts').textContent);
const plurals = new Intl.PluralRules(language);
const integers = new Intl.NumberFormat(language);
const plainNumbers = new Intl.NumberFormat(language, { useGrouping: 'min2' });
const lists = new Intl.ListFormat(language, { type: 'conjunction' });
const priceFormats = new Map();

/** Returns the text of a key, with `{name}` replaced by the value of that name. */
export function text(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (placeholder, name) => values[name] ?? placeholder);
}

/** Returns the text for a count: `key.one`, `key.other` and so on, with `{count}` replaced. */
export function counted(key, count, values = {}) {
  const form = `${key}.${plurals.select(count)}`;
  return text(form in texts ? form : `${key}.other`, { ...values, count: number(count) });
}

/** Returns a number as the language writes it. */
export const number = (value) => integers.format(value);

/** Returns a number that may be a year: 2024 has no separator, 10,000 has one. */
export const plainNumber = (value) => plainNumbers.format(value);

/** Returns words in quotation marks, joined as a list. */
export const quotedList = (words) => lists.format(words.map((word) => text('quoted', { text: word })));

/** Returns a price; whole amounts without decimals if `short`. */
export function price(value, currency = shopCurrency, short = false) {
  const key = `${currency} ${short}`;
  if (!priceFormats.has(key)) {
    const trailingZeroDisplay = short ? 'stripIfInteger' : 'auto';
    priceFormats.set(key, new Intl.NumberFormat(language, { style: 'currency', currency, trailingZeroDisplay }));
  }
  return priceFormats.get(key).format(value);
}
