"""The kinds of jobs: name -> code. A new kind is a module here and a line in `KINDS`."""

from collections.abc import Mapping

from resolvers.jobs.kinds import encryption_key_rotate, table_profile_refresh
from resolvers.jobs.kinds.kind import Run

KINDS: Mapping[str, Run] = {
    table_profile_refresh.NAME: table_profile_refresh.run,
    encryption_key_rotate.NAME: encryption_key_rotate.run,
}
