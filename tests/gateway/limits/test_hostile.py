"""Any hostile document up to 100 kB is settled in 25 ms of CPU."""

import gc
import time
from contextlib import suppress

import pytest
from graphql import get_introspection_query

from gateway.http.documents import Documents
from gateway.http.refusal import Refusal
from gateway.settings import Limits
from tests.gateway.http.toy import SCHEMA
from tests.gateway.limits.hostile import MANY, TEXTS, below

GOAL_MS = 25.0
_TRIES = 5


def settle(text: str) -> float:
    """Milliseconds of CPU, the least of some tries: the machine is shared and its caches are cold at first."""
    best = float("inf")
    for _ in range(_TRIES):
        documents = Documents(SCHEMA._schema, Limits())
        gc.collect()
        started = time.process_time()
        with suppress(Refusal):
            documents.prepare(text, None)
        best = min(best, (time.process_time() - started) * 1000)
        if best < GOAL_MS / 2:
            break
    return best


DOCUMENTS = {**TEXTS, **below(Limits().max_tokens)}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_settled_in_time(name: str) -> None:
    assert len(DOCUMENTS[name]) <= MANY
    assert settle(DOCUMENTS[name]) < GOAL_MS


def test_introspection_is_no_hostile_document() -> None:
    documents = Documents(SCHEMA._schema, Limits())
    assert documents.prepare(get_introspection_query(), None).name == "IntrospectionQuery"
