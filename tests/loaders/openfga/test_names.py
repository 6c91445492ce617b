import pytest

from loaders.openfga import names
from loaders.openfga.tuples import Check


@pytest.mark.parametrize(
    ("id_", "name"),
    [
        ("auth0|5f7", "user:auth0|5f7"),
        ("ann@example.org", "user:ann@example.org"),
        ("f:2b1c:ann", "user:f%3A2b1c%3Aann"),
        ("*", "user:%2A"),
        ("x#assignee", "user:x%23assignee"),
        ("a b\t\n", "user:a%20b%09%0A"),
        ("100%3A", "user:100%253A"),
        ("Ünïcode", "user:Ünïcode"),
        ("\u2003", "user:%E2%80%83"),
        ("\ud800", "user:%ED%A0%80"),
    ],
)
def test_user_and_back(id_: str, name: str) -> None:
    assert names.user(id_) == name
    assert names.id_of(name) == id_
    assert Check("can_view", name).askable


def test_names_of_the_reference() -> None:
    guid = "01920000-0000-7000-8000-00000000000a"
    assert names.datasource("flights") == "datasource:flights"
    assert names.dataset(guid) == f"dataset:{guid}"
    assert names.table(guid, "flights") == f"table:{guid}/flights"
    assert names.role(1) == "role:1"
    assert names.organization(7) == "organization:7"
    assert names.workspace(3) == "workspace:3"
    assert names.account("a") == "account:a"


@pytest.mark.parametrize("object_", ["", "user:", ":1", "user", "a:b:c", "a:b#c", "a:b c", "a:" + "x" * 255])
def test_what_openfga_would_not_take_is_not_asked(object_: str) -> None:
    assert not Check("can_view", object_).askable
