// openapi-fetch with the types of openapi-typescript.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const client = createClient<paths>({ baseUrl: process.env.NOREN_URL! });
const body = { name: "Red kettle", attributes: { colour: "red" } };
const put = await client.PUT("/products/{id}", { params: { path: { id: "fetch-1" } }, body });
const syncToken = [put.response.headers.get("noren-sync-token") ?? ""];
const query = { query: "ketle", attributes: { colour: "red" }, facets: ["brand", "price"], syncToken };
const found = await client.GET("/products/search", { params: { query } });
assert.ok(found.data?.products.some((hit) => hit.id === "fetch-1"), JSON.stringify(found.error));
const none = await client.GET("/products/search", { params: { query: { ...query, attributes: { colour: "no such" } } } });
assert.equal(none.data?.total, 0);
const ndjson = { bodySerializer: (lines: string) => lines, headers: { "content-type": "application/x-ndjson" } };
const bulk = await client.POST("/products/bulk", { body: '{"id":"fetch-2","name":"Pot"}\n', ...ndjson, parseAs: "text" });
assert.match(bulk.data ?? "", /"outcome":"(created|unchanged)"/);
const job = await client.POST("/imports", { body: '{"id":"fetch-3","name":"Pot"}\n', ...ndjson });
assert.ok(job.data?.id, JSON.stringify(job.error));
