// The types of openapi-typescript with plain `fetch`.
import assert from "node:assert/strict";
import type { components } from "./schema.js";

const url = process.env.NOREN_URL!;
const product: components["schemas"]["ProductInput"] = { name: "Red kettle", price: 39.9, attributes: { colour: "red" } };
const headers = { "content-type": "application/json" };
const put = await fetch(`${url}/products/types-1`, { method: "PUT", headers, body: JSON.stringify(product) });
const token = put.headers.get("noren-sync-token") ?? "";
const search = await fetch(`${url}/products/search?query=ketle&attributes[colour]=red&syncToken=${token}`);
const answer = (await search.json()) as components["schemas"]["SearchAnswer"];
assert.ok(answer.products.some((hit) => hit.id === "types-1" && hit.price === 39.9));
