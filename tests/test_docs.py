"""What the pages say is held against the code."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import parse, validate
from pydantic import BaseModel

from gateway.metrics import REGISTRY
from gateway.settings import Settings
from schema.build import build, graphql_schema

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
OPERATIONS = "".join((ROOT / "docs" / page).read_text() for page in ("operations.md", "settings.md", "jobs.md"))


def _settings(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _settings(field.annotation, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("setting", list(_settings(Settings)), ids="__".join)
def test_every_setting_is_documented(setting: tuple[str, ...]) -> None:
    """By its whole name, or by its last part beside one of its section."""
    *section, name = (part.upper() for part in setting)
    if section[:1] == ["DATABASES"]:
        assert f"`{section[1]}`" in OPERATIONS
        section = ["DATABASES", "<DATABASE>"]
    assert "AXION_" + "__".join([*section, ""]) in OPERATIONS
    assert re.search(rf"(__|AXION_){name}\b", OPERATIONS)


def test_every_metric_is_documented() -> None:
    names = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in REGISTRY.collect()
        if not metric.name.endswith("_created")
    }
    assert len(names) >= 9
    assert {name for name in names if f"`{name}`" not in OPERATIONS} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file that exists and, on a page, to one of its headings."""
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text())
    assert [
        link for link, heading in links if not _leads_somewhere(page.parent / link if link else page, heading)
    ] == []


def _leads_somewhere(target: Path, heading: str) -> bool:
    if not heading or not target.exists():
        return target.exists()
    headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
    return heading in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_of_the_code_exist(page: Path) -> None:
    folders = "deploy|gateway|loaders|migrations|resolvers|schema|tests"
    files = re.findall(rf"`((?:{folders})/[\w/]+\.\w+)`", page.read_text())
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_the_walks_through_the_code_name_what_there_is() -> None:
    """docs/requests.md names files, and functions or classes of theirs."""
    named = re.findall(r"`([a-z_/]+\.py)`(?: \(`(\w+)`\))?", (ROOT / "docs" / "requests.md").read_text())
    assert len(named) > 40
    assert [each for each in named if not _defines(ROOT / each[0], each[1])] == []


def _defines(path: Path, name: str) -> bool:
    if not name or not path.exists():
        return path.exists()
    return re.search(rf"^\s*(async def|def|class) {name}\b", path.read_text(), re.MULTILINE) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_documents_are_valid(page: Path) -> None:
    schema = graphql_schema(build())
    for document in re.findall(r"```graphql\n(.*?)```", page.read_text(), re.DOTALL):
        assert validate(schema, parse(document)) == []


def test_the_readme_has_documents_to_try() -> None:
    assert (ROOT / "README.md").read_text().count("```graphql") >= 2
