import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MANY, tagsOf } from '../tags.js';

const tags = value => tagsOf(new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)));
const page = count => ({ products: Array.from({ length: count }, (_, at) => ({ id: `p${at}` })) });

test('up to fifty products have a tag each, and more have one together', () => {
  assert.equal(tags(page(2)), 'product-p0,product-p1');
  assert.equal(tags(page(50)).split(',').length, 50);
  assert.equal(tags(page(51)), MANY);
});

test('a body without products has no tags', () => {
  for (const body of ['', '{', 'null', '[]', '{"products":{}}', { facets: [] }, { products: [null, 1, { id: 2 }] }]) {
    assert.equal(tags(body), '', JSON.stringify(body));
  }
});
