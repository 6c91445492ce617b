"""How many rows a page has."""

import pytest

from loaders.errors import BadInput, PageTooLarge
from schema.mapping.page import DEFAULT_PAGE, page_size


@pytest.mark.parametrize(
    ("arguments", "size"),
    [({}, DEFAULT_PAGE), ({"first": None, "last": None}, DEFAULT_PAGE), ({"first": 0}, 0), ({"last": 1000}, 1000)],
)
def test_a_page(arguments: dict[str, int | None], size: int) -> None:
    assert page_size(arguments, max_page=1000) == size


@pytest.mark.parametrize("arguments", [{"first": 1, "last": 1}, {"first": -1}, {"last": -1}])
def test_what_is_no_page(arguments: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        page_size(arguments, max_page=1000)


@pytest.mark.parametrize("name", ["first", "last"])
def test_too_large_a_page(name: str) -> None:
    """A stream is the next step only where the list's store has one: those of Postgres have none."""
    with pytest.raises(PageTooLarge, match=f"`{name}` is 1001.*a list of ClickHouse or of a remote table can be"):
        page_size({name: 1001}, max_page=1000)
    assert page_size({name: 1001}, max_page=None) == 1001
