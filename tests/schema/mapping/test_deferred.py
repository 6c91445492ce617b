"""Which operations may answer whole reads later."""

import pytest
from graphql import OperationDefinitionNode, parse

from schema.build import build, graphql_schema
from schema.mapping.collect import fragments_of
from schema.mapping.deferred import defers_reads


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ ... @defer { jobs { totalCount } } }", True),
        ("{ sense { ... @defer(if: $later) { organizations { totalCount } } } }", True),
        ("{ ...A } fragment A on Query { sense { ...B } } fragment B on Sense { ... @defer { __typename } }", True),
        ("{ ...A @defer } fragment A on Query { jobs { totalCount } }", True),
        ("{ sense { organizations { nodes @stream { ... @defer { name } } } } }", False),
        ("{ ...A ...A } fragment A on Query { jobs { ... @defer { totalCount } } }", False),
        ("{ __schema { ... @defer { description } } }", False),
    ],
)
def test_above_the_reads(text: str, expected: bool) -> None:
    document = parse(text)
    (operation,) = (each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    assert defers_reads(graphql_schema(build()), operation, fragments_of(document)) is expected
