"""`orderBy` takes OneOf input objects: what of them is refused, and that fragments may use variables in them."""

import pytest

from gateway.http.documents import Documents
from gateway.http.refusal import Refusal
from gateway.settings import Limits
from loaders.errors import Code
from schema.build import build, graphql_schema

FRAGMENT = "fragment Ordered on SenseQuery { tracks(orderBy: [{startedAt: $order}]) { totalCount } }"
OPERATION = "query Ask($order: SortOrder%s) { sense { ...Ordered } }"
INLINE = "query Ask%s { sense { tracks(orderBy: %s) { totalCount } } }"


@pytest.fixture(scope="module")
def documents() -> Documents:
    return Documents(graphql_schema(build()), Limits())


@pytest.mark.parametrize(
    "document",
    [
        f"{FRAGMENT} {OPERATION % '!'}",
        f"{OPERATION % '!'} {FRAGMENT}",
        f"{OPERATION % '!'} query Other {{ __typename }} {FRAGMENT}",
        INLINE % ("($order: SortOrder!)", "[{startedAt: $order}, {rowId: DESC}]"),
        INLINE % ("($order: SenseTrackOrderBy!)", "[$order]"),
        INLINE % ("($order: SenseTrackOrderBy = {startedAt: ASC})", "[$order]"),
        INLINE % ("($order: [SenseTrackOrderBy!])", "$order"),
        INLINE % ("", "{startedAt: ASC}"),
    ],
)
def test_what_is_accepted(documents: Documents, document: str) -> None:
    assert documents.prepare(document, "Ask").name == "Ask"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (f"{FRAGMENT} {OPERATION % ''}", "must be non-nullable"),
        (INLINE % ("($order: SortOrder)", "[{startedAt: $order}]"), "must be non-nullable"),
        (INLINE % ("($order: SortOrder = ASC)", "{startedAt: $order}"), "must be non-nullable"),
        (INLINE % ("($order: SenseTrackOrderBy)", "[$order]"), "in position expecting type 'SenseTrackOrderBy!'"),
        (INLINE % ("", "[{startedAt: $order}]"), "'$order' is not defined"),
        (f"{FRAGMENT} query Ask {{ sense {{ ...Ordered }} }}", "'$order' is not defined"),
        (INLINE % ("($order: SortOrder!)", "[{startedAt: $order, rowId: ASC}]"), "exactly one field"),
        (INLINE % ("", "[{startedAt: ASC, rowId: ASC}]"), "exactly one field"),
        (INLINE % ("", "[{startedAt: null}]"), "must be non-null"),
        (INLINE % ("", "[{}]"), "exactly one field"),
    ],
)
def test_what_is_refused_once(documents: Documents, document: str, told: str) -> None:
    with pytest.raises(Refusal) as caught:
        documents.prepare(document, "Ask")
    ((error, code),) = caught.value.errors
    assert (code, told in error.message) == (Code.GRAPHQL_VALIDATION_FAILED, True), error.message
