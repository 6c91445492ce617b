from importlib.resources import files

import pytest

from deploy.local.samples.source import chunks, starlette_chunks


def test_chunks_hold_every_line_once() -> None:
    by_path: dict[str, list[str]] = {}
    for chunk in starlette_chunks():
        lines = by_path.setdefault(chunk.path, [])
        assert chunk.first_line == len(lines) + 1
        lines += chunk.text.split("\n")
        assert chunk.last_line == len(lines)
        assert 1 <= chunk.last_line - chunk.first_line + 1 <= 60
    assert len(by_path) > 25
    for path, lines in by_path.items():
        source = (files("starlette") / path.removeprefix("starlette/")).read_text(encoding="utf-8")
        assert lines == source.splitlines()


def test_chunks_are_numbered_and_titled() -> None:
    found = [chunk for chunk in starlette_chunks() if chunk.path == "starlette/websockets.py"]
    assert [chunk.index for chunk in found] == list(range(len(found)))
    assert "starlette/websockets.py: WebSocketClose" in [chunk.title for chunk in found]


SOURCE = "import os\n\n\n@cache\ndef first():\n    pass\n\n\nclass Second:\n    def method(self):\n        pass\n"


def test_a_class_begins_a_chunk() -> None:
    assert [(chunk.first_line, chunk.last_line, chunk.symbol) for chunk in chunks("a.py", SOURCE)] == [
        (1, 8, ""),
        (9, 11, "Second"),
    ]


@pytest.mark.parametrize("blank", ["", "\n\n", "  \n"])
def test_an_empty_module_has_no_chunk(blank: str) -> None:
    assert list(chunks("a.py", blank)) == []


def test_a_long_function_is_cut_at_a_blank_line() -> None:
    body = ["def long():", *["    x = 1"] * 49, "", *["    y = 2"] * 40]
    first, second = chunks("a.py", "\n".join(body))
    assert (first.last_line, second.first_line) == (51, 52)
    assert (first.symbol, second.symbol) == ("long", "long")


def test_a_function_without_a_blank_line_is_cut_at_the_limit() -> None:
    lengths = [chunk.last_line - chunk.first_line + 1 for chunk in chunks("a.py", "def f():\n" + "    x = 1\n" * 149)]
    assert lengths == [60, 60, 30]
