"""Columns of enums: what a declaration is refused for, what it offers, and that the database admits no other word."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, get_named_type

from loaders.description import Column, Enumeration
from loaders.plan import joins
from loaders.read import Col, Compare, Op
from loaders.tables.databases import model_of
from schema.build import build, graphql_schema
from schema.job_state import JobState
from schema.mapping.declare import column
from schema.mapping.enums import enum_of_words, enumeration, value_name
from schema.mapping.object import OBJECTS
from tests.schema.mapping.building import read_of
from tests.schema.mapping.test_declare import _declare, _table


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graphql_schema(build())


def columns_of_enums() -> list[tuple[str, Column, Enumeration]]:
    return [
        (name, each, each.type.enumeration)
        for name, mapping in OBJECTS.items()
        for each in mapping.table.columns
        if each.type.enumeration is not None
    ]


def test_what_the_database_admits_has_a_name() -> None:
    """The words of a check constraint are those of the enum; of `JobState` they may be some."""
    found = columns_of_enums()
    assert len(found) > 15
    for name, each, enumerated in found:
        table = OBJECTS[name].table
        assert joins(table.store), "what closes the set of a table without check constraints?"
        own = rf"({each.name} IN|CASE {each.name}\b)"
        checks = [
            str(check.sqltext)
            for check in model_of(table).constraints
            if isinstance(check, sa.CheckConstraint) and re.match(own, str(check.sqltext))
        ]
        (check,) = checks
        admitted = set(re.findall(r"'(\w+)'", check))
        words = {word for word, _ in enumerated.names}
        assert admitted <= words if enumerated.name == "JobState" else admitted == words, (name, each.name)


def test_an_enum_is_offered_everywhere(schema: GraphQLSchema) -> None:
    for name, each, enumerated in columns_of_enums():
        (field,) = (f for f, found in OBJECTS[name].fields.items() if getattr(found, "column", None) == each.name)
        shown, key, where, count = (
            schema.type_map[f"{name}{suffix}"].fields[field].type  # type: ignore[attr-defined]
            for suffix in ("", "GroupKey", "Filter", "CountDistinct")
        )
        assert isinstance(shown, GraphQLEnumType), "it may be null: for a word that has no name"
        assert (shown.name, get_named_type(key).name) == (enumerated.name, enumerated.name)
        assert isinstance(where, GraphQLInputObjectType)
        assert set(where.fields) == {"eq", "ne", "in", "notIn", "isNull"}
        assert get_named_type(count).name == "Int"
        assert field in schema.type_map[f"{name}OrderBy"].fields  # type: ignore[attr-defined]
        extremes = schema.type_map.get(f"{name}Extreme")
        assert not isinstance(extremes, GraphQLObjectType) or field not in extremes.fields


def test_a_condition_is_about_the_words() -> None:
    document = """query ($in: [GenWidgetKind!]) { gen {
      dashboardWidgets(where: {kind: {eq: HEATMAP, in: $in}}) { totalCount }
    } }"""
    where: Any = read_of(document, {"in": ["MAP", "TEXT"]}).where
    kind = Col("kind")
    assert where.terms == (Compare(kind, Op.EQ, "heatmap"), Compare(kind, Op.IN, ("map", "text")))


@pytest.mark.parametrize(("word", "name"), [("notIn", "NOT_IN"), ("time_range", "TIME_RANGE"), ("x2Y", "X2_Y")])
def test_names(word: str, name: str) -> None:
    assert value_name(word) == name


def test_words_and_meanings_are_the_same() -> None:
    with pytest.raises(ValueError, match="has meanings of a, c"):
        enum_of_words(("a", "b"), "GenNothing", "Nothing.", {"a": "A.", "c": "C."})


@pytest.mark.parametrize("name", ["id", "number", "gone"])
def test_a_column_that_cannot_be_of_an_enum_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"things.{name} cannot be of an enum"):
        _declare(_table(sa.Column("number", sa.Integer)), **{name: column("It.", enum=JobState)})


def test_a_column_under_another_name() -> None:
    entry = OBJECTS["GenAgentAuditEntry"]
    assert "datasetId" not in entry.fields
    assert getattr(entry.fields["datasetRowId"], "column", None) == "dataset_id"


def test_members_keep_their_words() -> None:
    assert enumeration(JobState).names[0] == ("queued", "QUEUED")
