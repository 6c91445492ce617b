"""Every field is guarded or says why it is not, and a guard is asked before its resolver runs."""

from typing import Any

import pytest
import strawberry
from graphql import GraphQLSchema

from loaders.errors import Forbidden, Unauthenticated
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.tuples import RelationTuple
from resolvers.context import Context
from resolvers.permissions.fields import ByRows, FieldGuard, OnRow, Written, enforce
from resolvers.permissions.guards import Admins, Public, SignedIn
from resolvers.permissions.verdicts import Verdicts
from resolvers.subject import ANONYMOUS, Subject
from schema.build import build, graphql_schema
from schema.guards import guards, unguarded
from tests.loaders.openfga.stores import Store, fresh_store

__all__ = ["store"]
FIELDS = dict(guards(graphql_schema(build())))
MUTATIONS = {name: guard for name, guard in FIELDS.items() if name.startswith("Mutation.")}
PUBLIC = {"Query.viewer", "Viewer.isAdmin"}
"""What anybody may ask for; beside these, only what a mutation tells its caller of the change just made."""


@pytest.fixture
async def store(openfga_url: str, openfga_token: str) -> Any:
    async with fresh_store(openfga_url, openfga_token) as fresh:
        yield fresh


def _schema(field: Any) -> GraphQLSchema:
    query = strawberry.type(type("Query", (), {"found": field}))
    return graphql_schema(strawberry.Schema(query))


def test_every_field_is_guarded() -> None:
    assert len(FIELDS) > 200
    assert unguarded(graphql_schema(build())) == []


def test_the_walk_finds_an_unguarded_field() -> None:
    def found() -> int:
        return 1

    assert unguarded(_schema(strawberry.field(resolver=found))) == ["Query.found"]
    assert unguarded(_schema(strawberry.field(resolver=found, metadata={"guard": Public("")}))) == ["Query.found"]
    assert unguarded(_schema(strawberry.field(resolver=found, metadata={"guard": Public("why")}))) == []


def test_what_is_public() -> None:
    public = {name for name, guard in FIELDS.items() if isinstance(guard, Public)}
    assert {name for name in public if not name.endswith("Payload.permissionsPending")} == PUBLIC


def test_every_mutation_asks_before_it_works() -> None:
    assert len(MUTATIONS) > 20
    assert {type(guard) for guard in MUTATIONS.values()} <= {Admins, SignedIn, OnRow, Written}


@pytest.mark.parametrize("name", sorted(MUTATIONS))
async def test_no_mutation_without_a_subject(store: Store, name: str) -> None:
    guard: Any = MUTATIONS[name]
    ledger = Ledger()
    with pytest.raises(Unauthenticated):
        await enforce(guard, _context(ANONYMOUS, store, ledger))
    assert ledger.stores == {}


@pytest.mark.parametrize(
    ("guard", "passes"),
    [
        (Public("x"), {"nobody", "ann", "root"}),
        (ByRows("x"), {"nobody", "ann", "root"}),
        (SignedIn("x"), {"ann", "root"}),
        (Admins(), {"root"}),
    ],
)
async def test_who_passes(store: Store, guard: FieldGuard, passes: set[str]) -> None:
    await store.client().write([RelationTuple(names.user("root"), "admin", names.SYSTEM)], ledger=Ledger())
    for subject in (ANONYMOUS, Subject("ann"), Subject("root")):
        asked = enforce(guard, _context(subject, store, Ledger()))
        if (subject.id or "nobody") in passes:
            await asked
        else:
            with pytest.raises(Unauthenticated if subject.is_anonymous else Forbidden):
                await asked


def _context(subject: Subject, store: Store, ledger: Ledger) -> Context:
    verdicts = Verdicts(subject, store.client(), ledger)
    return Context(subject, "test", None, verdicts, ledger)  # type: ignore[arg-type]  # guards of fields read no store
