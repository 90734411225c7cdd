"""The client that openapi-python-client makes."""

import os

from noren_client import Client
from noren_client.api.imports import create_import
from noren_client.api.products import put_product, write_products
from noren_client.api.search import search_products
from noren_client.models import ProductInput, SearchProductsAttributes
from noren_client.types import File

client = Client(base_url=os.environ["NOREN_URL"], raise_on_unexpected_status=True)
body = ProductInput.from_dict({"name": "Red kettle", "attributes": {"colour": "red"}})
put = put_product.sync_detailed("python-1", client=client, body=body)
token = [put.headers["noren-sync-token"]]
# This generator sends each key of an object as a parameter, without the name of the object.
red = SearchProductsAttributes.from_dict({"attributes[colour]": "red"})
found = search_products.sync(client=client, query="ketle", attributes=red, sync_token=token)
assert any(hit.id == "python-1" for hit in found.products), found
other = SearchProductsAttributes.from_dict({"attributes[colour]": "no such"})
assert search_products.sync(client=client, attributes=other).total == 0
lines = write_products.sync_detailed(client=client, body=File(payload=b'{"id":"python-2","name":"Pot"}\n'))
assert b'"outcome":"created"' in lines.content, lines
job = create_import.sync(client=client, body=File(payload=b'{"id":"python-3","name":"Pot"}\n'))
assert job.id, job
