"""An answer that takes longer to read than a permission may outlast: who reads it is looked at again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

from gateway.http.authentication import Authenticated, first_renewal
from gateway.http.refusal import Refusal
from loaders.errors import Forbidden, PermissionsUnavailable
from resolvers.context import Context
from resolvers.permissions.still_granted import require_still

_EARLY_S: Final = 1.0
"""A token that is about to expire is no longer judged: it would be refused for that."""


async def until_lost(
    context: Context,
    authenticated: Authenticated,
    refused_by_now: Callable[[], Awaitable[Refusal | None]],
    *,
    every_s: float,
) -> NoReturn:
    """Raises the `Refusal` of a caller who is let in no more, `Forbidden` once something that was granted in the
    context is taken away, `PermissionsUnavailable` when there is no verdict twice in a row.

    A token that expires meanwhile takes nothing away: to read an answer may take longer than tokens last. Whoever was
    granted thousands of objects is asked about less often, so that this takes no more than a tenth of the time.
    """
    granted = context.verdicts.granted()
    due, undecided = first_renewal(every_s), False
    while True:
        await asyncio.sleep(due)
        began = time.monotonic()
        expires_at = authenticated.expires_at
        if expires_at is None or time.time() + _EARLY_S < expires_at:
            refusal = await refused_by_now()
            if refusal is not None:
                raise refusal
        try:
            await require_still(granted, verdicts=context.verdicts.anew())
            undecided = False
        except Forbidden as error:
            context.denied("stream", error.code)
            raise
        except PermissionsUnavailable:
            if undecided:
                raise
            undecided = True
        due = every_s if undecided else max(every_s, 10 * (time.monotonic() - began))
