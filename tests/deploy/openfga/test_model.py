"""The authorization model: generated, accepted by OpenFGA, and meaning what the YAML tables say."""

import asyncio
from pathlib import Path

import pytest
import yaml

from deploy.local.provision.go_binary import NO_GO, find_go
from loaders.openfga.api import Json
from tests.loaders.openfga.stores import Store

FOLDER = Path(__file__).parents[3] / "deploy" / "openfga"
CASES = [
    pytest.param(case, id=f"{path.stem}-{case['name']}")
    for path in sorted((FOLDER / "tests").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text())["tests"]
]


async def test_json_is_generated_from_the_model() -> None:
    go = find_go()
    assert go is not None, NO_GO
    process = await asyncio.create_subprocess_exec(
        *(go, "run", ".", "../model.fga"), cwd=FOLDER / "generate", stdout=asyncio.subprocess.PIPE
    )
    generated, _ = await process.communicate()
    assert process.returncode == 0
    assert generated == (FOLDER / "model.json").read_bytes(), "run the command in the head of model.fga"


@pytest.mark.parametrize("case", CASES)
async def test_case(case: Json, store: Store) -> None:
    await store.ask("write", {"writes": {"tuple_keys": case["tuples"]}})
    for assertion in case["checkAssertions"]:
        answer = await store.ask("check", {"tuple_key": assertion["tuple"], "context": assertion.get("context", {})})
        assert answer["allowed"] is assertion["expectation"], assertion
    for assertion in case.get("listObjectsAssertions", ()):
        answer = await store.ask("list-objects", {**assertion["request"], "context": assertion.get("context", {})})
        assert sorted(answer["objects"]) == assertion["expectation"], assertion
