"""Documents with `@defer` and `@stream` are answered at once, wholly, and by a plan; wrong uses are refused."""

import pytest
from graphql import parse, print_ast

from gateway.http.documents import Documents
from gateway.http.incremental import answered_at_once
from gateway.http.refusal import Refusal
from gateway.settings import Limits
from schema.build import build, graphql_schema

DOCUMENT = """
query Q($later: Boolean!, $on: Boolean!) {
  sense {
    organizations {
      nodes @stream(initialCount: 2) @include(if: $on) {
        name
        ... @defer(if: $later, label: "logs") { trackLogs { totalCount } }
        ...More @ defer @skip(if: $on)
      }
    }
  }
}
fragment More on SenseOrganization { code ... on SenseOrganization @defer { holds { nodes @stream { id } } } }
"""
WITHOUT = """
query Q($later: Boolean!, $on: Boolean!) {
  sense {
    organizations {
      nodes @include(if: $on) {
        name
        ... { trackLogs { totalCount } }
        ...More @skip(if: $on)
      }
    }
  }
}
fragment More on SenseOrganization { code ... on SenseOrganization { holds { nodes { id } } } }
"""


def test_nothing_else_is_taken_off() -> None:
    assert print_ast(answered_at_once(parse(DOCUMENT))) == print_ast(parse(WITHOUT))


def test_a_prepared_document_is_without_them() -> None:
    """A variable that only they used is still declared, and the document as valid as it came."""
    operation = Documents(graphql_schema(build()), Limits()).prepare(DOCUMENT, None)
    assert print_ast(operation.document) == print_ast(parse(WITHOUT))


@pytest.mark.parametrize(
    "document",
    [
        "{ sense { organizations @stream { totalCount } } }",  # no list
        "{ sense @defer { organizations { totalCount } } }",  # no fragment
        '{ sense { ... @defer(label: "a") { __typename } ... @defer(label: "a") { __typename } } }',
    ],
)
def test_wrong_uses_are_refused(document: str) -> None:
    with pytest.raises(Refusal):
        Documents(graphql_schema(build()), Limits()).prepare(document, None)


def test_the_document_as_it_came_is_kept_for_parts() -> None:
    documents = Documents(graphql_schema(build()), Limits())
    operation = documents.prepare(DOCUMENT, None)
    assert operation.in_parts is not None
    assert print_ast(operation.in_parts) == print_ast(parse(DOCUMENT))
    assert documents.prepare("{ sense { organizations { totalCount } } }", None).in_parts is None
    assert documents.prepare('{ jobs(where: {kind: {eq: "defer"}}) { totalCount } }', None).in_parts is None


@pytest.mark.parametrize(("count", "in_parts"), [(10, True), (11, False)])
def test_documents_with_many_are_answered_at_once(count: int, in_parts: bool) -> None:
    fragments = " ".join(f'... @defer(label: "{n}") {{ a{n}: __typename }}' for n in range(count))
    operation = Documents(graphql_schema(build()), Limits()).prepare(f"{{ jobs {{ totalCount }} {fragments} }}", None)
    assert (operation.in_parts is not None) is in_parts
    assert "@defer" not in print_ast(operation.document)
