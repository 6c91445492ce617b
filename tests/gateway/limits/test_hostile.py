"""Any hostile document of up to 100 kB is answered within a time that excludes work of quadratic cost.

`make bench` measures the goal of 25 ms of CPU. The tests allow four times as much, for slow or busy machines.
"""

import gc
import time
from contextlib import suppress

import pytest
from graphql import GraphQLSchema, get_introspection_query

from gateway.http.documents import Documents
from gateway.http.refusal import Refusal
from gateway.settings import Limits
from loaders.errors import Code
from schema.build import build, graphql_schema
from tests.gateway.http.toy import SCHEMA
from tests.gateway.limits.hostile import MANY, TEXTS, below, of_sense

BOUND_MS = 100.0
_TRIES = 5


def settle(text: str, schema: GraphQLSchema = SCHEMA._schema) -> float:
    """Milliseconds of CPU, the least of some tries: the machine is shared and its caches are cold at first."""
    best = float("inf")
    for _ in range(_TRIES):
        documents = Documents(schema, Limits())
        gc.collect()
        started = time.process_time()
        with suppress(Refusal):
            documents.prepare(text, None)
        best = min(best, (time.process_time() - started) * 1000)
        if best < BOUND_MS / 8:
            break
    return best


DOCUMENTS = {**TEXTS, **below(Limits().max_tokens)}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_settled_in_time(name: str) -> None:
    assert len(DOCUMENTS[name]) <= MANY
    assert settle(DOCUMENTS[name]) < BOUND_MS


@pytest.fixture(scope="module")
def real() -> GraphQLSchema:
    return graphql_schema(build())


OF_SENSE = of_sense(Limits().max_tokens)


@pytest.mark.parametrize("name", OF_SENSE)
def test_settled_in_time_by_the_real_schema(name: str, real: GraphQLSchema) -> None:
    assert len(OF_SENSE[name]) <= MANY
    with pytest.raises(Refusal) as refused:
        Documents(real, Limits()).prepare(OF_SENSE[name], None)
    assert {code for _, code in refused.value.errors} == {Code.GRAPHQL_VALIDATION_FAILED}
    assert settle(OF_SENSE[name], real) < BOUND_MS


def test_introspection_is_no_hostile_document(real: GraphQLSchema) -> None:
    documents = Documents(real, Limits())
    assert documents.prepare(get_introspection_query(), None).name == "IntrospectionQuery"
    assert settle(get_introspection_query(), real) < BOUND_MS


def test_texts_count_in_the_cache_as_the_memory_they_take() -> None:
    """0.4 MB each: four bytes a character, of which there are many and few tokens."""
    documents = Documents(SCHEMA._schema, Limits())
    texts = [f"{{hello #{n}\U0001f600\n}}" + " " * 99_900 for n in range(251)]
    prepared = [documents.prepare(text, None) for text in texts]
    assert documents.prepare(texts[-1], None) is prepared[-1]
    assert documents.prepare(texts[0], None) is not prepared[0]
