"""Articles, metrics and artifacts: each change is a new version, at most one is current, and none ever changes."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from tests.schema.gen.world import World


@dataclass(frozen=True, slots=True)
class Series:
    """`refused` are changes of `given` that are refused, with the field."""

    name: str
    root: str
    given: dict[str, Any]
    patches: tuple[dict[str, Any], dict[str, Any]]
    refused: tuple[tuple[dict[str, Any], str], ...]
    writer: str = "steward"
    reader: str = "ann"
    shown: bool = True
    """Whether the reader sees it."""
    current: bool = True
    """Whether there is a current one."""

    @property
    def field(self) -> str:
        return self.name[0].lower() + self.name[1:]

    @property
    def noun(self) -> str:
        noun = self.name.removeprefix("Gen")
        return noun[0].lower() + noun[1:]


COUNT = {"measure": {"function": "COUNT"}}


def of(kind: str, **definition: Any) -> dict[str, Any]:
    table = {"tableName": "flights"} if kind == "simple" else {"tableName": None}
    return {"kind": kind.upper(), **table, "definition": definition}


SERIES = (
    Series(
        "GenArticleVersion",
        "articleVersions",
        {"datasetId": "@flights", "title": "Delays", "body": "In minutes.", "tags": ["delay"]},
        ({"body": "In *minutes*."}, {"title": "Late flights", "tableName": "flights"}),
        (({"datasetId": "@secret"}, "datasetId"),),
    ),
    Series(
        "GenSemanticMetric",
        "semanticMetrics",
        {"datasetId": "@flights", "name": "flights", "title": "Flights", **of("simple", **COUNT)},
        (
            {"definition": COUNT | {"where": {"column": "dep_time", "isNull": False}}, "unit": "1"},
            of("ratio", numerator="a", denominator="b"),
        ),
        (
            ({"datasetId": "@secret"}, "datasetId"),
            ({"name": "Two words"}, "name"),
            ({"tableName": None}, "tableName"),
            (of("ratio", numerator="a", denominator="b") | {"tableName": "flights"}, "tableName"),
            (of("simple"), "definition"),
            (of("simple", measure={"function": "SUM"}), "definition"),
            (of("simple", **COUNT, where={"column": "a"}), "definition"),
            (of("ratio", numerator="a"), "definition"),
            (of("ratio", numerator="flights", denominator="b"), "definition"),
            (of("derived", expression="a + b", metrics=["a"]), "definition"),
            (of("derived", expression="a", metrics=["a", "b"]), "definition"),
            (of("derived", expression="a.b", metrics=["a"]), "definition"),
            (of("derived", expression="a if a else 'x'", metrics=["a"]), "definition"),
            (of("derived", expression="a(", metrics=["a"]), "definition"),
            (of("derived", expression="(" * 999, metrics=["a"]), "definition"),
            (of("derived", expression="a*" * 490 + "a**2", metrics=["a"]), "definition"),
            (of("cumulative", metric="a"), "timeColumn"),
            (
                of("cumulative", metric="a", window={"count": 7, "unit": "DAY"}, grainToDate="YEAR")
                | {"timeColumn": "t"},
                "definition",
            ),
        ),
    ),
    Series(
        "GenArtifactVersion",
        "artifactVersions",
        {"kind": "CHART", "title": "Delays", "content": {"mark": "bar"}},
        ({"content": {"mark": "line"}}, {"title": "Late flights"}),
        (({"chatSessionId": "@flights"}, "chatSessionId"),),
        writer="ann",
        reader="admin",
        shown=False,
        current=False,
    ),
)
each = pytest.mark.parametrize("series", SERIES, ids=lambda series: series.name)


async def create(world: World, series: Series, **changes: Any) -> Any:
    values = series.given | changes
    return await world.do(series.writer, f"{series.field}Create", values, f"row: {series.noun} {{ id version }}")


async def revise(world: World, series: Series, id_: str, patch: dict[str, Any], *, user: str | None = None) -> Any:
    given = {"id": id_, "patch": patch}
    return await world.do(user or series.writer, f"{series.field}Revise", given, f"row: {series.noun} {{ id version }}")


async def versions(world: World, series: Series, *, user: str | None = None) -> list[Any]:
    """Number, whether current, and title of each."""
    fields = "version title" + (" isCurrent" if series.current else "")
    document = f"{{ gen {{ {series.root}(orderBy: [{{version: ASC}}]) {{ nodes {{ {fields} }} }} }} }}"
    nodes = (await world.ask(user or series.writer, document))["gen"][series.root]["nodes"]
    return [(node["version"], node.get("isCurrent"), node["title"]) for node in nodes]


@each
async def test_a_change_is_a_version(world: World, series: Series) -> None:
    first = (await create(world, series))["row"]
    second = (await revise(world, series, first["id"], series.patches[0]))["row"]
    third = (await revise(world, series, second["id"], series.patches[1]))["row"]
    assert [row["version"] for row in (first, second, third)] == [1, 2, 3]
    newest = (series.current and False) if series.current else None
    titles = [series.given["title"]] * 2 + [series.patches[1].get("title", series.given["title"])]
    expected = [(number, newest, title) for number, title in enumerate(titles, 1)]
    expected[2] = (3, True if series.current else None, titles[2])
    assert await versions(world, series) == expected
    assert await versions(world, series, user=series.reader) == (expected if series.shown else [])
    assert await versions(world, series, user="stranger") == []


@each
async def test_only_the_newest_is_revised(world: World, series: Series) -> None:
    first = (await create(world, series))["row"]["id"]
    await revise(world, series, first, series.patches[0])
    before = await versions(world, series)
    done = await revise(world, series, first, series.patches[1])
    assert (done["__typename"], done["field"]) == ("Conflict", "id")
    assert await versions(world, series) == before


@each
async def test_of_two_at_once_one_wins(world: World, series: Series) -> None:
    first = (await create(world, series))["row"]["id"]
    both = await asyncio.gather(*(revise(world, series, first, series.patches[0]) for _ in range(2)))
    assert sorted(done["__typename"] for done in both) == ["Conflict", f"{series.name}RevisePayload"]
    assert [number for number, *_ in await versions(world, series)] == [1, 2]


@each
async def test_who_may_not_revise(world: World, series: Series) -> None:
    first = (await create(world, series))["row"]["id"]
    for user, failure in ((series.reader, "NotAllowed" if series.shown else "Absent"), ("stranger", "Absent")):
        assert (await revise(world, series, first, series.patches[0], user=user))["__typename"] == failure, user
    assert len(await versions(world, series)) == 1


@pytest.mark.parametrize(
    ("series", "changes", "field"),
    [(series, *refused) for series in SERIES for refused in series.refused],
    ids=[f"{series.noun}-{n}" for series in SERIES for n, _ in enumerate(series.refused)],
)
async def test_refused(world: World, series: Series, changes: dict[str, Any], field: str) -> None:
    done = await create(world, series, **changes)
    assert (done["__typename"], done["field"]) == ("InvalidInput", field), done
    assert await versions(world, series) == []


@pytest.mark.parametrize("series", SERIES[:2], ids=lambda series: series.name)
async def test_withdrawn_and_brought_back(world: World, series: Series) -> None:
    first = (await create(world, series))["row"]["id"]
    selection = f"row: {series.noun} {{ isCurrent }}"
    done = await world.do(series.writer, f"{series.field}Withdraw", {"id": first}, selection)
    assert done["row"] == {"isCurrent": False}
    await revise(world, series, first, series.patches[0])
    assert [current for _, current, _ in await versions(world, series)] == [False, True]


async def test_a_metric_s_definition_fits_its_kind_when_it_is_revised(world: World) -> None:
    metric = SERIES[1]
    first = (await create(world, metric))["row"]["id"]
    done = await revise(world, metric, first, {"definition": {"numerator": "a", "denominator": "b"}})
    assert (done["__typename"], done["field"]) == ("InvalidInput", "definition")


async def test_a_name_belongs_to_one_metric_of_a_dataset(world: World) -> None:
    metric = SERIES[1]
    await create(world, metric)
    assert (await create(world, metric))["__typename"] == "Conflict"
    other = await world.do("admin", "genSemanticMetricCreate", metric.given | {"datasetId": "@secret"})
    assert other["__typename"] == "GenSemanticMetricCreatePayload"


async def test_versions_are_found_from_each_other(world: World) -> None:
    article = SERIES[0]
    first = (await create(world, article))["row"]["id"]
    await revise(world, article, first, article.patches[0])
    document = """query($id: ID!) { gen { dataset(id: $id) { articles(where: {isCurrent: {eq: true}}) {
      nodes { version authorSubject versions(orderBy: [{version: ASC}]) { nodes { version body } } }
    } } } }"""
    data = await world.ask("ann", document, {"id": "@flights"})
    assert data["gen"]["dataset"]["articles"]["nodes"] == [
        {
            "version": 2,
            "authorSubject": "steward",
            "versions": {"nodes": [{"version": 1, "body": "In minutes."}, {"version": 2, "body": "In *minutes*."}]},
        }
    ]
