"""Only the ids a read asks for are sent of those its subject may see."""

import pytest

from loaders.read import And, Col, Compare, Computed, Exists, Field, Never, Op, Or, Predicate, Read, Related, Slot
from resolvers.permissions.apply import Mask, Restriction
from resolvers.permissions.narrow import asked, narrowed
from tests.resolvers.permissions.tables import ORGANIZATIONS, TO_ORGANIZATION, TO_TRACKS, TRACK_LOGS

ID = Compare(Col("id"), Op.EQ, Slot(0))
SHOWN = (Field("id", Computed(Col("id"))),)
MASK = Mask("name", "id", (1, 3))
SEEN = Compare(Col("id"), Op.IN, (1, 2, 3))


def _read(where: Predicate | None) -> Read:
    return Read(ORGANIZATIONS, SHOWN, where=where)


@pytest.mark.parametrize(
    ("where", "value", "sent"),
    [
        (ID, 2, (2,)),
        (ID, 4, ()),
        (ID, None, ()),
        (Compare(Col("id"), Op.IN, Slot(0)), (4, 3, 1), (1, 3)),
        (Compare(Col("id"), Op.IN, Slot(0)), (), ()),
        (Compare(Col("id"), Op.EQ, 2), 3, (2,)),
        (Compare(Col("id"), Op.EQ, 4), 3, ()),
        (Compare(Col("id"), Op.IN, (4, 3, 1)), 2, (1, 3)),
        (And((Compare(Col("name"), Op.EQ, Slot(1)), ID)), 2, (2,)),
        (And((Exists(TO_TRACKS, None), ID)), 2, (2,)),
        (None, 2, (1, 2, 3)),
        (Compare(Col("name"), Op.EQ, Slot(0)), 2, (1, 2, 3)),
        (Compare(Col("id"), Op.GT, Slot(0)), 2, (1, 2, 3)),
        (Compare(Col("id"), Op.NOT_IN, Slot(0)), (2,), (1, 2, 3)),
        (Or((ID, Compare(Col("id"), Op.GT, Slot(1)))), 2, (1, 2, 3)),
    ],
)
def test_what_is_sent(where: Predicate | None, value: object, sent: tuple[int, ...]) -> None:
    expected = Restriction(Compare(Col("id"), Op.IN, sent) if sent else Never(), (MASK,))
    assert narrowed(Restriction(SEEN, (MASK,)), asked(_read(where)), (value, 0)) == expected


@pytest.mark.parametrize("restriction", [Never(), Exists(TO_TRACKS, SEEN), Compare(Col("owner"), Op.EQ, 1)])
def test_other_restrictions_stay(restriction: Predicate) -> None:
    given = Restriction(restriction)
    assert narrowed(given, asked(_read(ID)), (2,)) is given


def test_a_table_that_is_shown_twice_is_not_narrowed() -> None:
    """Below the one that is asked for, others of the same table may be seen."""
    others = Related(TO_TRACKS, Read(TRACK_LOGS, (Field("again", Related(TO_ORGANIZATION, _read(None))),)))
    assert asked(Read(ORGANIZATIONS, (*SHOWN, Field("logs", others)), where=ID)) == {}
    assert asked(Read(ORGANIZATIONS, SHOWN, where=And((ID, Exists(TO_TRACKS, Exists(TO_ORGANIZATION, None)))))) == {}
