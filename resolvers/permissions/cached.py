"""Caches verdicts between requests: for under a second, or for some seconds while the change feed reports no change."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

from loaders.concurrently import concurrently
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import Checked, Listed
from loaders.openfga.tuples import Check
from resolvers.permissions.answers import Answers, Lookup
from resolvers.permissions.verdicts import Authority

MAX_SECONDS: Final = 1.0
FOLLOWED_SECONDS: Final = 10.0
"""How long an answer is kept while no tuple changes."""
_List: TypeAlias = tuple[str, str, str]
"""Subject, relation, type."""


class Feed(Protocol):
    """`loaders.openfga.feed.Feed`."""

    @property
    def version(self) -> int: ...

    def unchanged_since(self, *, within_s: float) -> float | None: ...


class Source(Authority, Protocol):
    @property
    def version(self) -> int:
        """Changes before and after each write of tuples through it."""
        ...


class CachedAuthority:
    """An `Authority` that asks `source` the same question about the same subject once within `seconds` (at most 1).

    - The age of an answer counts from before its question was sent, so a revocation by anyone takes effect after
      `seconds`, and one by this process at once: its writes drop everything, also answers under way. The end of a
      relation with `expires_at` may be noticed up to `seconds` late.
    - With a `feed`, an answer is used for up to 10 s if a look at the feed that began within the last `seconds` found
      no change since the question was sent. Revocations still take effect after `seconds`, and while the feed cannot be
      read answers age as above. This does not apply to types with relations that end by the clock (`names.ENDING`),
      which no feed reports.
    - A check with a contextual parent is a different question from one without.
    - Verdicts and lists are cached; of an incomplete list only that it is incomplete. Undecided and failed checks are
      not cached.
    - Without OpenFGA everything is denied once the cached answers have aged; older ones are never used instead.
    - Callers share calls, which count in the ledger of the caller who began them.
    - Memory is bounded: at most `size` verdicts, and lists with `size` ids together.
    """

    def __init__(
        self,
        source: Source,
        *,
        seconds: float,
        size: int,
        clock: Callable[[], float] = time.monotonic,
        count: Callable[[Lookup], None] = lambda _: None,
        feed: Feed | None = None,
    ) -> None:
        if not 0 < seconds <= MAX_SECONDS:
            raise ValueError(f"verdicts may be kept for more than 0 and at most {MAX_SECONDS} seconds")
        self._source = source
        self._feed = feed
        self._seconds = seconds
        self._clock = clock
        self._checks: Answers[tuple[str, Check], bool | None] = Answers(
            seconds=seconds,
            size=size,
            version=self._version,
            weigh=lambda verdict: None if verdict is None else 1,
            clock=clock,
            count=count,
            known_good=self._known_good,
            lasts=lambda key: names.type_of(key[1].object) not in names.ENDING,
        )
        self._lists: Answers[_List, Listed] = Answers(
            seconds=seconds,
            size=size,
            version=self._version,
            weigh=lambda listed: 1 + len(listed.ids),
            clock=clock,
            count=count,
            known_good=self._known_good,
            lasts=lambda key: key[2] not in names.ENDING,
        )

    @property
    def weight(self) -> int:
        """The weight of everything cached: one for a verdict, one and its ids for a list."""
        return self._checks.weight + self._lists.weight

    async def close(self) -> None:
        await self._checks.close()
        await self._lists.close()

    def _version(self) -> int:
        return self._source.version + (0 if self._feed is None else self._feed.version)

    def _known_good(self) -> float | None:
        unchanged = None if self._feed is None else self._feed.unchanged_since(within_s=self._seconds)
        return None if unchanged is None else max(unchanged, self._clock() - FOLLOWED_SECONDS)

    def kept_check(self, subject_id: str, check: Check) -> bool | None:
        return self._checks.kept((subject_id, check))

    def kept_list(self, subject_id: str, relation: str, type_: str) -> Listed | None:
        return self._lists.kept((subject_id, relation, type_))

    async def batch_check(self, subject_id: str, checks: Iterable[Check], *, ledger: Ledger) -> Checked:
        """As `OpenFga.batch_check`. Only checks without a cached verdict are asked, in one call."""

        async def ask(keys: Sequence[tuple[str, Check]]) -> Mapping[tuple[str, Check], bool | None]:
            answer = await self._source.batch_check(subject_id, [check for _, check in keys], ledger=ledger)
            return {
                key: None if key[1] in answer.undecided else key[1] in answer.granted  # no verdict before any yes
                for key in keys
            }

        # What OpenFGA does not take is denied without asking, and may be of any length.
        verdicts = await self._checks.get(((subject_id, check) for check in checks if check.askable), ask)
        return Checked(
            granted=frozenset(check for (_, check), verdict in verdicts.items() if verdict is True),
            undecided=frozenset(check for (_, check), verdict in verdicts.items() if verdict is None),
        )

    async def list_objects(self, subject_id: str, relation: str, type_: str, *, ledger: Ledger) -> Listed:
        """As `OpenFga.list_objects`."""

        async def ask(keys: Sequence[_List]) -> Mapping[_List, Listed]:
            listed = await concurrently(self._source.list_objects(*key, ledger=ledger) for key in keys)
            return dict(zip(keys, map(_kept_of, listed), strict=True))

        key = (subject_id, relation, type_)
        return (await self._lists.get([key], ask))[key]


def _kept_of(listed: Listed) -> Listed:
    return listed if listed.complete else Listed(frozenset(), complete=False)
