import pytest

from loaders.errors import PageTooLarge
from loaders.ledger import Ledger
from loaders.room import Room


def test_what_is_too_much_is_refused_and_not_taken() -> None:
    room = Room(100)
    room.take(60)
    with pytest.raises(PageTooLarge, match=r"larger than 100 bytes\. Ask for fewer rows"):
        room.take(41)
    room.take(40)
    assert room.taken == 100


def test_what_is_lent_is_given_back_however_it_ends() -> None:
    room = Room(100)
    with room.lent() as lent:
        lent.take(60)
        with pytest.raises(PageTooLarge):
            lent.take(41)
        assert room.taken == 60
    assert room.taken == 0


def test_what_is_made_takes_the_place_of_what_was_lent() -> None:
    room = Room(100)
    room.take(30)
    with room.lent() as lent:
        lent.take(60)
        made = lent.made()
        made.add(50)
        made.add(20)
        with pytest.raises(PageTooLarge):
            made.add(1)
        lent.made().add(70)
    assert room.taken == 30


def test_parts_of_a_request_share_its_room_and_what_is_aside_has_its_own() -> None:
    ledger = Ledger(room=Room(100))
    ledger.part().room.take(60)
    ledger.aside.room.take(60)
    assert ledger.room.taken == 60
    with pytest.raises(PageTooLarge):
        ledger.aside.room.take(41)


def test_a_job_has_no_bound_over_all_its_answers() -> None:
    room = Ledger().room
    room.take(1 << 40)
    with room.lent() as lent:
        lent.take(1 << 40)
        lent.made().add(1 << 50)
