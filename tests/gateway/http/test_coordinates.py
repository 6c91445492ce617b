"""What an error's path is by the schema's names."""

import pytest
from graphql import build_schema

from gateway.http.coordinates import Coordinates
from gateway.http.documents import Documents
from gateway.settings import Limits

SCHEMA = build_schema("""
  interface Node { id: ID! }
  type Book implements Node { id: ID! title: String authors: [Person] }
  type Person implements Node { id: ID! name: String secret: String }
  type Query { library: Library node(id: ID!): Node }
  type Library { books: [Book] }
""")
DOCUMENT = """
query {
  lib: library { books { ...B } ...L }
  node(id: "x") { ... on Person { hidden: secret } ... on Book { hidden: title } }
}
fragment B on Book { writers: authors { name ... { s: secret } } }
fragment L on Library { books { writers: authors { id } } }
"""


@pytest.mark.parametrize(
    ("path", "coordinate"),
    [
        (("lib",), "Query.library"),
        (("lib", "books", 0), "Library.books"),
        (("lib", "books", 0, "writers", 3), "Book.authors"),
        (("lib", "books", 0, "writers", 3, "s"), "Person.secret"),
        (("lib", "books", 0, "writers", 3, "id"), "Person.id"),
        (("node", "hidden"), "Person.secret"),
        (("node", "hidden", "within", "a", "scalar"), "Person.secret"),
        ((), ""),
    ],
)
def test_aliases_and_fragments(path: tuple[str | int, ...], coordinate: str) -> None:
    operation = Documents(SCHEMA, Limits()).prepare(DOCUMENT, None, None)
    assert Coordinates(SCHEMA, operation).of(path) == coordinate
