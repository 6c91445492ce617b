"""The opened stores, as resolvers and loaders use them. `gateway/stores.py` opens and closes them."""

from collections.abc import Mapping
from dataclasses import dataclass

from loaders.clickhouse.client import ClickHouse
from loaders.columnar.source import Source
from loaders.jobs.watch import JobWatcher
from loaders.oauth.client import OAuthClient
from loaders.objects.bucket import Objects
from loaders.openfga.client import OpenFga
from loaders.postgres.client import Postgres
from loaders.secrets.keyring import Keyring
from loaders.vectors.embeddings import Embeddings
from loaders.warehouses.pools import Warehouses


@dataclass(frozen=True, slots=True)
class Stores:
    """Shared by all requests of a process. `postgres`, `columnar` and `streaming` are keyed by public store names.

    `streaming` are the columnar sources with time-outs for readers that take millions of rows.
    """

    postgres: Mapping[str, Postgres]
    columnar: Mapping[str, Source]
    streaming: Mapping[str, Source]
    clickhouse: ClickHouse
    openfga: OpenFga
    warehouses: Warehouses
    objects: Objects
    keyring: Keyring
    embeddings: Embeddings
    oauth: OAuthClient
    jobs: JobWatcher
