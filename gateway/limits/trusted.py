"""Trusted documents: a client's build writes them to a manifest, and the client requests them by id. Optionally no
other documents are answered.

The manifest is a JSON file as Relay and graphql-codegen write it (`{"<id>": "<document>"}`), or Apollo's
(`{"operations": [{"id": "<id>", "body": "<document>"}]}`). Ids are compared literally, but for the prefix `sha256:` of
"GraphQL over HTTP", appendix "Persisted Documents": graphql-codegen writes it, Relay and Apollo do not, and clients may
send it or leave it out.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Self

_SHA_256 = "sha256:"


class BadManifest(Exception):
    """The file cannot be read as a manifest. The message says why, for the operator."""


class UnknownDocument(Exception):
    """No document has this id. `word` is the error message that clients of automatically persisted queries recognise,
    which is Apollo's: urql looks at nothing else, and after `PersistedQueryNotSupported` such clients stop sending ids.
    """

    def __init__(self, message: str, word: str) -> None:
        super().__init__(message)
        self.word = word


class UntrustedDocument(Exception):
    """Only trusted documents are answered, and this is not one of them."""


class TrustedDocuments:
    """`only` means that no other documents are answered. The ids of `by_id` have no prefix."""

    def __init__(self, by_id: Mapping[str, str] | None = None, *, only: bool = False) -> None:
        self._by_id = by_id or {}
        self._texts = frozenset(self._by_id.values())
        self._only = only

    @classmethod
    def read(cls, file: Path | None, *, only: bool) -> Self:
        """Raises `BadManifest`."""
        return cls(None if file is None else _manifest(file), only=only)

    def text(self, document_id: str | None, query: str | None) -> str:
        """The document to answer: the one with the id, else the query.

        A query with an unknown id is answered, because clients of automatically persisted queries send both. Raises
        `UnknownDocument`, `UntrustedDocument`, and `ValueError` when the query is not the document of its id.
        """
        if document_id is not None:
            known = self._by_id.get(document_id.removeprefix(_SHA_256))
            if known is not None:
                if query not in (None, known):
                    raise ValueError("The query is not the document of this id: send one of them.")
                return known
        if query is None:
            raise UnknownDocument(
                "No document has this id: send the document itself, or have it added to the gateway's manifest.",
                "PersistedQueryNotFound" if self._by_id else "PersistedQueryNotSupported",
            )
        if self._only and query not in self._texts:
            raise UntrustedDocument(
                "Only documents of the gateway's manifest are answered: have this one added, or ask for one that is."
            )
        return query


def _manifest(file: Path) -> dict[str, str]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise BadManifest(f"the manifest of trusted documents cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise BadManifest(f"the manifest of trusted documents is not JSON: {error}") from error
    operations = content.get("operations") if isinstance(content, dict) else None
    if isinstance(operations, list):
        pairs = [(each.get("id"), each.get("body")) if isinstance(each, dict) else (None, None) for each in operations]
    else:
        pairs = list(content.items()) if isinstance(content, dict) else [(None, None)]
    documents: dict[str, str] = {}
    for document_id, text in pairs:
        if not (isinstance(document_id, str) and isinstance(text, str) and document_id and text):
            raise BadManifest("a manifest of trusted documents maps ids to documents, or is an Apollo manifest")
        if documents.setdefault(document_id.removeprefix(_SHA_256), text) != text:
            raise BadManifest(f"the manifest of trusted documents has two documents of the id {document_id!r}")
    return documents
