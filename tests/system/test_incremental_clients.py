"""Apollo Client, by both forms of an answer in parts, and urql: what they make of `@defer` and `@stream`."""

import asyncio
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.npm import install
from tests.system.client import Client

FOLDER = Path(__file__).parent / "clients"
CLIENTS = ("apollo 20220824", "apollo v0.2", "urql")
DATASET = '{ gen { datasets(where: {name: {eq: "nycflights13"}}) { nodes { id name %s } } } }'
QUESTIONS = {
    "plain": DATASET % "",
    "defer": DATASET % '... @defer(label: "rows") { table(name: "airlines") { name rows { totalCount } } }',
    "stream": DATASET % "tables @stream(initialCount: 1) { name }",
    "deferred read": "{ jobs { totalCount } ... @defer { sense { organizations { totalCount } } } }",
    "compiled": "{ sense { organizations(first: 2) { nodes @stream { id ... @defer { name } } } } }",
    "refused": "{ gen { datasets(first: 5000) { totalCount } } }",
    "invalid": "{ nothing }",
    "deferred error": DATASET % '... @defer { table(name: "airlines") { name rows(select: ["no"]) { totalCount } } }',
}
IN_PARTS = ("defer", "stream", "deferred read", "deferred error")
CODES = {"refused": ["PAGE_TOO_LARGE"], "invalid": ["GRAPHQL_VALIDATION_FAILED"], "deferred error": ["UNKNOWN_COLUMN"]}


@pytest.fixture(scope="module")
async def shown(client: Client) -> dict[tuple[str, str], list[Any]]:
    """By client and question all results that a client shows, the last one whole."""
    await asyncio.to_thread(install, FOLDER)
    process = await asyncio.create_subprocess_exec(
        "node", "clients.mjs", f"{client.url}/graphql", cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    asked = orjson.dumps({"token": client.tokens["admin"], "questions": QUESTIONS})
    output, _ = await asyncio.wait_for(process.communicate(asked), 120)
    assert process.returncode == 0
    results = defaultdict(list)
    for line in map(orjson.loads, output.splitlines()):
        results[line["client"], line["question"]].append(line)
    return results


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_client_has_the_whole_answer(
    name: str, question: str, shown: dict[tuple[str, str], list[Any]], client: Client
) -> None:
    answer = await client.ask(QUESTIONS[question], stores=False)
    *earlier, last = shown[name, question]
    assert without_typenames(last["data"]) == answer.body.get("data")
    assert last["codes"] == CODES.get(question, [])
    assert bool(earlier) == (question in IN_PARTS)
    assert all(result["more"] and result["codes"] == [] for result in earlier)
    if earlier:
        assert orjson.dumps(earlier[0]["data"]) != orjson.dumps(last["data"])


def without_typenames(value: Any) -> Any:
    """Apollo asks for them at every level."""
    match value:
        case dict():
            return {key: without_typenames(below) for key, below in value.items() if key != "__typename"}
        case list():
            return [without_typenames(below) for below in value]
        case _:
            return value
