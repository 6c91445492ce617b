"""Seeds of random tests: other ones in each run, and part of the test's name, so that a failure can be repeated."""

import os
import random
import secrets

_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex()


def seeds(count: int, *, of: str) -> list[int]:
    """So many for the test `of` that name. Workers side by side, which must find the same tests, draw the same."""
    chance = random.Random(f"{_RUN} {of}")
    return [chance.getrandbits(32) for _ in range(count)]
