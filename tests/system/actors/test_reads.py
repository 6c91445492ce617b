"""Everybody, every type, every way in: what is shown is what a Check of every row says, and a denial reads nothing."""

import asyncio
from typing import Any

import orjson
import pyarrow as pa
import pytest

from resolvers.permissions.guards import Admins, AllOf, AnyOf, RowGuard, Through, Visible
from schema.mapping.object import OBJECTS, join, joinable
from tests.system.actors.conftest import REFUSED, SIGNED_IN, Actors
from tests.system.actors.documents import LISTS, OBJECTS_BY_ID, Way, below, edges
from tests.system.actors.rows import KINDS, absent_ids, global_id
from tests.system.client import ARROW, Answer
from tests.waiting import until

_WHERE = "where: {id: {in: $ids}}, first: 100"
NODE = "query N($id: ID!) { it: node(id: $id) { __typename id } }"
NODES = "query N($ids: [ID!]!) { it: nodes(ids: $ids) { id } }"


def by_relation(guard: RowGuard) -> bool:
    """Whether it shows nothing to who has no relation to anything: no row is theirs by itself."""
    match guard:
        case Admins() | Visible():
            return True
        case Through(_, inner):
            return by_relation(inner)
        case AnyOf(guards):
            return all(map(by_relation, guards))
        case AllOf(guards):
            return any(map(by_relation, guards))
        case _:
            return False


RELATED = [type_ for type_ in KINDS if by_relation(OBJECTS[type_].guard)]
"""Types of which nothing is seen without a relation."""


def found(answer: Answer, way: Way) -> Any:
    data = answer.data
    for name in (*way.path, "it"):
        data = data[name]
    return data


def assert_refused(answer: Answer, code: str) -> None:
    assert set(answer.codes) == {code}
    assert not answer.used


def assert_as_absent(type_: str, actor: str, hidden: Answer, absent: Answer) -> None:
    """Rows that are hidden are read no more than rows that are not there, and by a relation nobody has, nothing is."""
    assert hidden.data == absent.data, actor
    assert hidden.used == absent.used, actor
    if KINDS[type_].seen == "admins":
        assert not hidden.used, actor


@pytest.mark.parametrize("type_", KINDS)
def test_who_sees_the_rows_of_a_world(actors: Actors, type_: str) -> None:
    """The table of expectations, kept by hand: the guards as they are declared say the same."""
    south, north = actors.south.id(type_), actors.north.id(type_)
    own = {"analyst": {south}, "member": {north}}
    nobody: dict[str, set[str]] = {"analyst": set(), "member": set()}
    both = {south, north}
    expected = {
        "members": {"admin": both, **own},
        "personal": {"admin": set(), **own},
        "admins": {"admin": both, **nobody},
        "everyone": {"admin": both, "analyst": both, "member": both},
    }[KINDS[type_].seen]
    assert {actor: actors.alone[actor][type_] for actor in SIGNED_IN} == expected


@pytest.mark.parametrize("way", LISTS, ids=lambda way: way.field)
async def test_lists_and_their_figures(actors: Actors, way: Way) -> None:
    ids = actors.made.ids(way.target)
    document = way.document(_WHERE, "totalCount aggregate { count } nodes { id }")
    for actor in SIGNED_IN:
        answer = await actors.client.ask(document, {"ids": ids}, user=actor)
        visible, list_ = actors.visible[actor][way.target], found(answer, way)
        assert {node["id"] for node in list_["nodes"]} == visible, actor
        assert list_["totalCount"] == len(list_["nodes"]) == len(visible)
        assert list_["aggregate"] == [{"count": len(visible)}]
        hidden = [row for row in actors.made.of(way.target) if global_id(way.target, row) not in visible]
        if hidden:
            asked = [global_id(way.target, row) for row in hidden], absent_ids(way.target, hidden)
            of_hidden, of_absent = [await actors.client.ask(document, {"ids": each}, user=actor) for each in asked]
            assert_as_absent(way.target, actor, of_hidden, of_absent)
        if actor != "admin":  # nothing else either
            others = way.document("first: 100, where: {not: {id: {in: $ids}}}", "nodes { id }")
            more = found(await actors.client.ask(others, {"ids": ids}, user=actor), way)["nodes"]
            assert not more or KINDS[way.target].seen == "everyone", actor
    for nobody, code in REFUSED.items():
        assert_refused(await actors.client.ask(document, {"ids": ids}, user=nobody), code)


@pytest.mark.parametrize("way", OBJECTS_BY_ID, ids=lambda way: way.field)
async def test_objects_by_id(actors: Actors, way: Way) -> None:
    document = way.document("id: $id", "id")
    rows = actors.made.of(way.target)
    for row, absent in zip(rows, absent_ids(way.target, rows), strict=True):
        id_ = global_id(way.target, row)
        for actor in SIGNED_IN:
            answer = await actors.client.ask(document, {"id": id_}, user=actor)
            if id_ in actors.visible[actor][way.target]:
                assert found(answer, way) == {"id": id_}, actor
                continue
            assert found(answer, way) is None, actor
            assert not any(rows for _, rows, _ in answer.used.values()), actor
            of_absent = await actors.client.ask(document, {"id": absent}, user=actor)
            assert_as_absent(way.target, actor, answer, of_absent)
        for nobody, code in REFUSED.items():
            assert_refused(await actors.client.ask(document, {"id": id_}, user=nobody), code)


@pytest.mark.parametrize("type_", KINDS)
async def test_nodes(actors: Actors, type_: str) -> None:
    ids = actors.made.ids(type_)
    for actor in SIGNED_IN:
        expected = [{"id": id_} if id_ in actors.visible[actor][type_] else None for id_ in ids]
        assert (await actors.client.ask(NODES, {"ids": ids}, user=actor)).data["it"] == expected, actor
        for id_, absent in zip(ids[:2], absent_ids(type_, actors.made.of(type_)), strict=False):
            answer = await actors.client.ask(NODE, {"id": id_}, user=actor)
            assert (answer.data["it"] is not None) == (id_ in actors.visible[actor][type_])
            if answer.data["it"] is None:
                assert not any(rows for _, rows, _ in answer.used.values()), actor
                of_absent = await actors.client.ask(NODE, {"id": absent}, user=actor)
                assert_as_absent(type_, actor, answer, of_absent)
    for nobody, code in REFUSED.items():
        assert_refused(await actors.client.ask(NODES, {"ids": ids}, user=nobody), code)
        assert_refused(await actors.client.ask(NODE, {"id": ids[0]}, user=nobody), code)


@pytest.mark.parametrize("type_", RELATED)
async def test_who_has_no_relation_reads_no_store(actors: Actors, type_: str) -> None:
    """By every way in; only OpenFGA is asked."""
    ids = actors.made.ids(type_)
    documents = [
        way.document(_WHERE, "totalCount aggregate { count } nodes { id }") for way in LISTS if way.target == type_
    ]
    documents += [way.document("id: $id", "id") for way in OBJECTS_BY_ID if way.target == type_]
    for document in (*documents, NODES, NODE):
        variables: dict[str, Any] = {"ids": ids} if "$ids" in document else {"id": ids[0]}
        answer = await actors.client.ask(document, variables, user="stranger")
        assert not answer.errors
        assert not answer.used, document
        assert set(answer.statements) <= {"openfga"}


@pytest.mark.parametrize("type_", [type_ for type_ in KINDS if edges(type_)])
async def test_below_every_parent(actors: Actors, type_: str) -> None:
    document = f"query N($ids: [ID!]!) {{ it: nodes(ids: $ids) {{ {below(type_)} }} }}"
    rows = {global_id(type_, row): row for row in actors.made.of(type_)}
    for actor in SIGNED_IN:
        answer = await actors.client.ask(document, {"ids": list(rows)}, user=actor)
        for id_, node in zip(rows, answer.data["it"], strict=True):
            assert (node is not None) == (id_ in actors.visible[actor][type_])
            if node is None:
                continue
            for name, edge in edges(type_).items():
                joined = actors.oracles[actor].joined(rows[id_], join(edge))
                expected = {global_id(edge.target, row) for row in joined} & actors.visible[actor][edge.target]
                if edge.many:
                    assert {each["id"] for each in node[name]["nodes"]} == expected, (actor, name)
                    assert node[name]["totalCount"] == len(expected), (actor, name)
                else:
                    assert (node[name] is None) == (not expected), (actor, name)
                    assert node[name] is None or node[name]["id"] in expected
    for nobody, code in REFUSED.items():
        assert_refused(await actors.client.ask(document, {"ids": list(rows)}, user=nobody), code)


_EDGES = [
    (way, name, edge)
    for way in LISTS
    for name, edge in edges(way.target).items()
    if joinable(OBJECTS[way.target], edge.target)
]
_THROUGH = [pytest.param(way, name, id=f"{way.target}.{name}") for way, name, _ in _EDGES]
_ORDERED_THROUGH = [
    pytest.param(way, name, id=f"{way.target}.{name}")
    for way, name, edge in _EDGES
    if edge.many or "rowId" in OBJECTS[edge.target].fields  # a key to order by
]


@pytest.mark.parametrize(("way", "name"), _THROUGH)
async def test_conditions_on_hidden_rows_hold_nowhere(actors: Actors, way: Way, name: str) -> None:
    """`some`, `every`, `none` and the condition on one row, for each row that the edge may lead to."""
    edge, ids = edges(way.target)[name], actors.made.ids(way.target)
    rows = {global_id(way.target, row): row for row in actors.made.of(way.target)}
    targets = actors.made.ids(edge.target)
    for actor in SIGNED_IN:
        visible, seen = actors.visible[actor][way.target], actors.visible[actor][edge.target]
        leads = {
            id_: {global_id(edge.target, row) for row in actors.oracles[actor].joined(rows[id_], join(edge))} & seen
            for id_ in visible
        }
        for target in targets:
            expected: dict[str, set[str]] = {
                "some": {id_ for id_, to in leads.items() if target in to},
                "none": {id_ for id_, to in leads.items() if target not in to},
                "every": {id_ for id_, to in leads.items() if to <= {target}},
            }
            for word, shown in expected.items():
                if word != "some" and not edge.many:
                    continue
                condition = f'{{id: {{eq: "{target}"}}}}'
                inner = f"{{{word}: {condition}}}" if edge.many else condition
                where = f"first: 100, where: {{id: {{in: $ids}}, {name}: {inner}}}"
                answer = await actors.client.ask(way.document(where, "nodes { id }"), {"ids": ids}, user=actor)
                assert {node["id"] for node in found(answer, way)["nodes"]} == shown, (actor, word, target)


@pytest.mark.parametrize(("way", "name"), _ORDERED_THROUGH)
async def test_orders_by_hidden_rows_are_as_without_them(actors: Actors, way: Way, name: str) -> None:
    """Rows that lead to hidden ones stand where those stand that lead nowhere, in the order of their keys."""
    edge, ids = edges(way.target)[name], actors.made.ids(way.target)
    rows = {global_id(way.target, row): row for row in actors.made.of(way.target)}
    keys = OBJECTS[edge.target].table.key
    for actor in SIGNED_IN:
        seen = actors.visible[actor][edge.target]

        def place(id_: str) -> tuple[Any, ...]:
            joined = actors.oracles[actor].joined(rows[id_], join(edge))  # noqa: B023 - called within the turn
            shown = [row for row in joined if global_id(edge.target, row) in seen]  # noqa: B023 - as above
            own = tuple(rows[id_][key] for key in OBJECTS[way.target].table.key)
            if edge.many:
                return (len(shown), own)
            return (not shown, tuple(shown[0][key] for key in keys) if shown else (), own)

        term = f"{name}: {{count: ASC}}" if edge.many else f"{name}: {{rowId: ASC}}"
        document = way.document(f"{_WHERE}, orderBy: [{{{term}}}]", "nodes { id }")
        answer = await actors.client.ask(document, {"ids": ids}, user=actor)
        shown = [node["id"] for node in found(answer, way)["nodes"]]
        assert shown == sorted(actors.visible[actor][way.target], key=place), actor


@pytest.mark.parametrize(
    "way", [way for way in LISTS if OBJECTS[way.target].table.store == "clickhouse"], ids=lambda way: way.field
)
async def test_streams(actors: Actors, way: Way) -> None:
    document = way.document("where: {id: {in: $ids}}", "nodes { id }")
    ids = actors.made.ids(way.target)
    for actor in SIGNED_IN:
        async with actors.client.arrow(document, {"ids": ids}, user=actor) as response:
            with pa.ipc.open_stream(await response.read()) as stream:
                assert set(stream.read_all()["id"].to_pylist()) == actors.visible[actor][way.target], actor
    before = await _counted(actors, "statements", "clickhouse")
    for nobody, code in REFUSED.items():
        refused = await actors.client.ask(document, {"ids": ids}, user=nobody, accept=ARROW)
        assert refused.codes == [code]
    async with actors.client.arrow(document, {"ids": ids}, user="stranger") as response:
        with pa.ipc.open_stream(await response.read()) as stream:
            assert stream.read_all().num_rows == 0
    assert await _counted(actors, "statements", "clickhouse") == before


async def _counted(actors: Actors, what: str, store: str) -> str:
    """What the gateway has had of the store so far: for answers that do not say it.

    A stream is counted when it is over for the gateway, a moment after it was read to its end.
    """
    lines: list[str] = []

    async def all_over() -> bool:
        async with actors.client.http.get(f"{actors.client.url}/metrics") as response:
            lines[:] = (await response.text()).splitlines()
        running = [line for line in lines if line.startswith("axion_operations_in_flight{")]
        assert running
        return all(line.endswith(" 0.0") for line in running)

    await until(all_over, timeout_s=30)
    return next(line for line in lines if line.startswith(f'axion_store_{what}_total{{store="{store}"}}'))


async def test_search(actors: Actors) -> None:
    document = 'query S($id: ID!) { aura { it: search(workspaceId: $id, text: "x") { totalCount nodes { id } } } }'
    for world in actors.made.worlds:
        workspace, chunk = world.id("AuraWorkspace"), world.id("AuraRagChunk")
        for actor in SIGNED_IN:
            answer = (await actors.client.ask(document, {"id": workspace}, user=actor)).data["aura"]["it"]
            assert (chunk in {node["id"] for node in answer["nodes"]}) == (
                chunk in actors.visible[actor]["AuraRagChunk"]
            ), actor
            assert {node["id"] for node in answer["nodes"]} <= actors.visible[actor]["AuraRagChunk"]
            assert answer["totalCount"] == len(answer["nodes"])
            if workspace not in actors.visible[actor]["AuraWorkspace"]:
                both = workspace, world.absent().id("AuraWorkspace")
                of_hidden, of_absent = [await actors.client.ask(document, {"id": id_}, user=actor) for id_ in both]
                assert_as_absent("AuraWorkspace", actor, of_hidden, of_absent)
        for nobody, code in REFUSED.items():
            assert_refused(await actors.client.ask(document, {"id": workspace}, user=nobody), code)


async def test_jobs_that_are_open(actors: Actors) -> None:
    for world in actors.made.worlds:
        id_ = world.id("Job")
        for actor in (*SIGNED_IN, *REFUSED):
            before = await _counted(actors, "rows", "axion_sense_tasks")
            (event, *_) = await _events(actors, id_, actor)
            seen = actor in SIGNED_IN and id_ in actors.visible[str(actor)]["Job"]
            assert not event.errors if seen else set(event.codes) == {REFUSED.get(actor, "NOT_FOUND")}, actor
            if not seen:
                assert await _counted(actors, "rows", "axion_sense_tasks") == before


async def _events(actors: Actors, job: str, actor: str | None) -> list[Answer]:
    document = "subscription J($id: ID!) { jobUpdated(id: $id) { __typename } }"
    headers = actors.client.headers(actor, accept="text/event-stream")
    async with (
        asyncio.timeout(20),
        actors.client.http.post(
            f"{actors.client.url}/graphql", json={"query": document, "variables": {"id": job}}, headers=headers
        ) as response,
    ):
        lines = (await response.read()).splitlines()
    data = [line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: {")]
    return [Answer(response.status, orjson.loads(each)) for each in data]
