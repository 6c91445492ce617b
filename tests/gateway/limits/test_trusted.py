"""Manifests as clients' builds write them, and files that are not manifests."""

import json
from pathlib import Path

import pytest

from gateway.limits.trusted import BadManifest, TrustedDocuments, UnknownDocument, UntrustedDocument

HELLO, ITEM = "{ hello }", "query Item { item { name } }"
RELAY = {"one": HELLO, "two": ITEM}
CODEGEN = {"sha256:one": HELLO, "sha256:two": ITEM}
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [
        {"id": "one", "name": "Hello", "type": "query", "body": HELLO},
        {"id": "two", "name": "Item", "type": "query", "body": ITEM},
    ],
}


def read(folder: Path, content: object, *, only: bool = False) -> TrustedDocuments:
    file = folder / "manifest.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return TrustedDocuments.read(file, only=only)


@pytest.mark.parametrize("content", [RELAY, CODEGEN, APOLLO], ids=["relay", "codegen", "apollo"])
def test_all_forms(tmp_path: Path, content: object) -> None:
    trusted = read(tmp_path, content)
    assert [trusted.text(name, None) for name in ("one", "sha256:one", "two")] == [HELLO, HELLO, ITEM]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"{",
        [],
        "text",
        {"one": 1},
        {"one": ""},
        {"": HELLO},
        {"operations": [{"id": "one"}]},
        {"operations": ["one"]},
        {"operations": [{"id": "one", "body": HELLO}, {"id": "one", "body": ITEM}]},
        {"one": HELLO, "sha256:one": ITEM},
    ],
)
def test_what_is_no_manifest(tmp_path: Path, content: object) -> None:
    with pytest.raises(BadManifest):
        read(tmp_path, content)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadManifest, match="cannot be read"):
        TrustedDocuments.read(tmp_path / "absent.json", only=True)


def test_which_document_is_answered() -> None:
    trusted = TrustedDocuments(RELAY)
    assert trusted.text(None, "{ other }") == "{ other }"
    assert trusted.text("unknown", "{ other }") == "{ other }"
    assert trusted.text("one", HELLO) == HELLO
    with pytest.raises(ValueError, match="not the document of this id"):
        trusted.text("one", ITEM)
    with pytest.raises(UnknownDocument):
        trusted.text("unknown", None)


def test_nothing_else_is_answered_if_so_set() -> None:
    trusted = TrustedDocuments(RELAY, only=True)
    assert (trusted.text("two", None), trusted.text(None, HELLO)) == (ITEM, HELLO)
    for document_id, query in ((None, "{ other }"), ("unknown", "{ other }"), (None, HELLO + " ")):
        with pytest.raises(UntrustedDocument):
            trusted.text(document_id, query)
    with pytest.raises(UnknownDocument):
        trusted.text("unknown", None)
