"""The kinds of jobs: name -> code. A new kind is a module here and a line in `kinds`."""

from collections.abc import Mapping
from functools import partial

from resolvers.jobs.kinds import encryption_key_rotate, table_profile_refresh
from resolvers.jobs.kinds.kind import Run


def kinds(*, profile_max_bytes: int) -> Mapping[str, Run]:
    """`profile_max_bytes` is what a profile may read when the user who started it gave no limit."""
    return {
        table_profile_refresh.NAME: partial(table_profile_refresh.run, max_bytes=profile_max_bytes),
        encryption_key_rotate.NAME: encryption_key_rotate.run,
    }
