"""Ids of OpenFGA as predicates over typed columns."""

import uuid

import pytest

from loaders.description import Column, ColumnType, Kind, Table
from loaders.read import Col, Compare, Exists, Never, Op, Value
from resolvers.permissions.guards import Own, Visible
from resolvers.permissions.restrict import by_owner, by_visibility, typed
from resolvers.permissions.verdicts import Everything, Only
from resolvers.subject import Subject
from tests.resolvers.permissions.tables import (
    DATASETS,
    FRAME_BATCHES,
    LICENCES,
    ORGANIZATIONS,
    POLICIES,
    TO_TRACK,
    USERS,
    WORKSPACES,
)

GUID = "01920000-0000-7000-8000-00000000000a"


@pytest.mark.parametrize(
    ("table", "ids", "values"),
    [
        (ORGANIZATIONS, {"2", "10", "-1"}, (-1, 2, 10)),
        (ORGANIZATIONS, {"9223372036854775807", "9223372036854775808", "-9223372036854775808"}, (-(2**63), 2**63 - 1)),
        (ORGANIZATIONS, {"x", "", " 1", "1 ", "+1", "01", "-0", "1.0", "1e3", "\u0661", "1_0", "*"}, ()),
        (LICENCES, {"2147483647", "2147483648", "-2147483648"}, (-(2**31), 2**31 - 1)),
        (DATASETS, {GUID}, (uuid.UUID(GUID),)),
        (DATASETS, {GUID.upper(), GUID.replace("-", ""), f"{{{GUID}}}", f"urn:uuid:{GUID}", "1", ""}, ()),
        (WORKSPACES, {"b", "a b", "ä", "nul\x00"}, ("a b", "b", "ä")),
    ],
)
def test_typed(table: Table, ids: set[str], values: tuple[Value, ...]) -> None:
    assert typed(frozenset(ids), table, "id") == values


def test_a_column_that_cannot_name_an_object_is_a_mistake() -> None:
    table = Table("s", None, "t", (Column("at", ColumnType(Kind.TIMESTAMP)),))
    with pytest.raises(TypeError, match="cannot name an object"):
        typed(frozenset({"1"}), table, "at")


def test_by_visibility() -> None:
    direct = Visible("organization", "can_view", "id")
    assert by_visibility(direct, ORGANIZATIONS, Everything()) is None
    assert by_visibility(direct, ORGANIZATIONS, Only(frozenset())) == Never()
    assert by_visibility(direct, ORGANIZATIONS, Only(frozenset({"nonsense"}))) == Never()
    assert by_visibility(direct, ORGANIZATIONS, Only(frozenset({"7"}))) == Compare(Col("id"), Op.IN, (7,))


def test_via_reaches_the_column_through_joins() -> None:
    guard = POLICIES[FRAME_BATCHES]
    assert isinstance(guard, Visible)
    predicate = by_visibility(guard, FRAME_BATCHES, Only(frozenset({"2", "1"})))
    assert predicate == Exists(TO_TRACK, Compare(Col("organization_id"), Op.IN, (1, 2)))


@pytest.mark.parametrize(
    ("guard", "subject", "predicate"),
    [
        (Own("external_auth_id", "id"), Subject("sub"), Compare(Col("external_auth_id"), Op.EQ, "sub")),
        (Own("id", "user_id"), Subject("sub", user_id=5), Compare(Col("id"), Op.EQ, 5)),
        (Own("id", "user_id"), Subject("sub"), Never()),
        (Own("id", "id"), Subject("sub"), Never()),
    ],
)
def test_by_owner(guard: Own, subject: Subject, predicate: Compare | Never) -> None:
    assert by_owner(guard, USERS, subject) == predicate
