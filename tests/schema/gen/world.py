"""Gen as its users see it: documents run in this process, over a database and an OpenFGA store of the test."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from gateway.http.documents import Documents
from gateway.http.execution import execute
from gateway.settings import Limits
from loaders.encode.node_id import encode_node_id
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.tuples import RelationTuple
from loaders.tables.axion_gen import agents, catalog, external, identity
from loaders.warehouses.data_source_rows import store_name
from resolvers.gen import data_sources, datasets
from resolvers.gen.data_sources import DataSourceCreate
from resolvers.gen.datasets import DatasetCreate
from schema.build import build, graphql_schema
from tests.resolvers.gen.conftest import As, GenStores

FAILURES = "__typename ... on Error { message code } ... on InvalidInput { field } ... on Conflict { field }"


@dataclass(frozen=True, slots=True)
class World:
    """`ann` and `bob` see the dataset `flights`, `steward` administers its data source, `admin` everything.

    `stranger` sees nothing, and only `admin` sees the dataset `secret`, which is of another data source.
    """

    as_: As
    ids: Mapping[str, str]
    stores: Mapping[str, str]
    """The public names of the data sources, by their own."""

    async def ask(
        self, user: str, document: str, variables: Mapping[str, Any] | None = None, *, key: str | None = None
    ) -> Any:
        """The data of an answer without errors. `@name` among the variables stands for the global id of that name."""
        context = self.as_(user)
        context.idempotency_key = key
        schema = graphql_schema(build())
        operation = Documents(schema, Limits()).prepare(document, None)
        answer = execute(schema, operation, self.with_ids(variables or {}), context)
        if inspect.isawaitable(answer):
            answer = await answer
        assert not answer.errors, answer.errors
        return orjson.loads(orjson.dumps(answer.data))

    async def do(
        self, user: str, mutation: str, given: Mapping[str, Any], selection: str = "", *, key: str | None = None
    ) -> Any:
        """What one mutation answers: its payload or its failure."""
        type_ = mutation[0].upper() + mutation[1:]
        payload = f"... on {type_}Payload {{ {selection} }}" if selection else ""
        root = graphql_schema(build()).mutation_type
        assert root is not None
        takes = root.fields[mutation].args["input"].type
        document = f"mutation($input: {takes}) {{ done: {mutation}(input: $input) {{ {FAILURES} {payload} }} }}"
        return (await self.ask(user, document, {"input": given}, key=key))["done"]

    def with_ids(self, value: Any) -> Any:
        match value:
            case str() if value.startswith("@"):
                return self.ids[value[1:]]
            case dict():
                return {key: self.with_ids(item) for key, item in value.items()}
            case list():
                return [self.with_ids(item) for item in value]
            case _:
                return value


async def make_world(as_: As, stores: GenStores) -> World:
    async with stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.delete(identity.User))
        await session.execute(sa.delete(catalog.DatasetGroup))
        await session.execute(sa.delete(external.ExternalApi))
        await session.execute(sa.delete(agents.AgentAuditEntry))
        await session.execute(sa.delete(identity.IdempotencyKey))
    ids = {}
    keys = {}
    public_names = {}
    for source, dataset in (("east", "flights"), ("west", "secret")):
        settings = {"url": "http://127.0.0.1:1"}
        made = await data_sources.create_data_source(as_("admin"), DataSourceCreate(source, "clickhouse", settings))
        row = await datasets.create_dataset(as_("admin"), DatasetCreate(made.id, dataset))
        keys[dataset] = row.id
        public_names[source] = store_name(made.id)
        ids[source] = encode_node_id("GenDataSource", [str(made.id)])
        ids[dataset] = encode_node_id("GenDataset", [str(row.id)])
    readers, stewards = names.role(7), names.role(8)
    tuples = [
        *(RelationTuple("user:*", flag, readers) for flag in ("has_view_dataset", "has_view_table")),
        *(RelationTuple(names.user(name), "assignee", readers) for name in ("ann", "bob")),
        RelationTuple(readers, "assigned_role", names.dataset(keys["flights"])),
        RelationTuple("user:*", "has_admin_datasource", stewards),
        RelationTuple(names.user("steward"), "assignee", stewards),
        RelationTuple(stewards, "assigned_role", names.datasource("east")),
    ]
    await stores.openfga.write(tuples, ledger=Ledger())
    return World(as_, ids, public_names)
