// The client that openapi-generator makes for typescript-fetch.
import assert from "node:assert/strict";
import { Configuration, ImportsApi, ProductsApi, SearchApi } from "./typescript-fetch/index.js";

const configuration = new Configuration({ basePath: process.env.NOREN_URL! });
const [products, search] = [new ProductsApi(configuration), new SearchApi(configuration)];
const productInput = { name: "Red kettle", attributes: { colour: "red" } };
const put = await products.putProductRaw({ id: "generated-1", productInput });
const syncToken = [put.raw.headers.get("noren-sync-token") ?? ""];
const found = await search.searchProducts({ query: "ketle", attributes: { colour: "red" }, facets: ["brand"], syncToken });
assert.ok(found.products.some((hit) => hit.id === "generated-1" && hit.attributes?.["colour"] === "red"));
const none = await search.searchProducts({ attributes: { colour: "no such" } });
assert.equal(none.total, 0);
const body = { searches: [{ query: "ketle", attributes: { colour: "red" } }, { brand: ["no such"] }] };
const both = await search.searchProductsByBody({ searchesBody: body });
assert.ok("results" in both && both.results.length === 2 && both.results[1]?.total === 0);
assert.match(await products.writeProducts({ body: '{"id":"generated-2","name":"Pot"}\n' }), /"outcome":"created"/);
const job = await new ImportsApi(configuration).createImport({ body: '{"id":"generated-3","name":"Pot"}\n' });
assert.equal((await new ImportsApi(configuration).readImport({ id: job.id })).id, job.id);
