"""What the subject of one request may do: each question is asked once, and questions asked at the same time share a
batch.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NoReturn, Protocol, TypeAlias

from aiodataloader import DataLoader

from loaders.concurrently import concurrently
from loaders.errors import Forbidden, PermissionsUnavailable, Unauthenticated
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import Checked, Listed
from loaders.openfga.tuples import Check
from resolvers.subject import Subject

ADMIN = Check("admin", names.SYSTEM)


class Authority(Protocol):
    """Who answers: `OpenFga`, or a cache in front of it."""

    async def batch_check(self, subject_id: str, checks: Iterable[Check], *, ledger: Ledger) -> Checked: ...

    async def list_objects(self, subject_id: str, relation: str, type_: str, *, ledger: Ledger) -> Listed: ...


class Memory(Protocol):
    """Answers that an authority has without a task and an await; None for what it would have to ask."""

    def kept_check(self, subject_id: str, check: Check) -> bool | None: ...

    def kept_list(self, subject_id: str, relation: str, type_: str) -> Listed | None: ...


@dataclass(frozen=True, slots=True)
class Everything:
    """All objects are visible."""


@dataclass(frozen=True, slots=True)
class Only:
    """Exactly the objects with these ids are visible."""

    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unbounded:
    """More objects are visible than can be listed: candidates have to be checked (`Verdicts.filter`)."""


Visibility: TypeAlias = Everything | Only | Unbounded


@dataclass(frozen=True, slots=True)
class Grounds:
    """The verdicts that a decision was based on."""

    checks: tuple[tuple[Check, bool], ...]
    lists: tuple[tuple[tuple[str, str], Only], ...]


class Verdicts:
    """Lives for one request, within the running loop. Nothing is asked about an anonymous subject.

    Unless stated otherwise, methods raise `PermissionsUnavailable` when there is no verdict.
    """

    def __init__(self, subject: Subject, authority: Authority, ledger: Ledger, *, memory: Memory | None = None) -> None:
        self.subject = subject
        self._authority = authority
        self._ledger = ledger
        self._memory = memory
        self._decided: dict[Check, bool | asyncio.Future[bool | None]] = {}
        self._seen: dict[tuple[str, str], Visibility | asyncio.Future[Visibility]] = {}

    async def is_admin(self) -> bool:
        """Admin of `system:axion-gen`: may do everything to everything."""
        return not self.subject.is_anonymous and _decided(await self._verdict(ADMIN))

    async def check(self, relation: str, object_: str, *, parent: str | None = None) -> bool:
        """Whether the subject has the relation on the object (a name made by `names`), or is admin."""
        if self.subject.is_anonymous:
            return False
        admin, own = await asyncio.gather(self._verdict(ADMIN), self._verdict(Check(relation, object_, parent)))
        return True if admin or own else _decided(admin) or _decided(own)

    async def visible(self, type_: str, relation: str) -> Visibility:
        """The objects of a type on which the subject has the relation: one check and, unless the subject is an admin,
        one list.
        """
        if self.subject.is_anonymous:
            return Only(frozenset())
        if await self.is_admin():
            return Everything()
        key = (type_, relation)
        if key not in self._seen:
            memory = self._memory
            kept = None if memory is None else memory.kept_list(self.subject.id, relation, type_)
            self._seen[key] = self._lists.load(key) if kept is None else _visibility(kept)
        seen = self._seen[key]
        return await asyncio.shield(seen) if isinstance(seen, asyncio.Future) else seen

    async def filter(self, type_: str, relation: str, candidates: Iterable[object]) -> frozenset[str]:
        """The candidate ids, as text, on which the subject has the relation. One call for every 50 distinct ids.

        The calls are not in the ledger of the request: their number depends on hidden ids.
        """
        ids = sorted({str(candidate) for candidate in candidates})
        if not ids or self.subject.is_anonymous:
            return frozenset()
        if await self.is_admin():
            return frozenset(ids)
        asked = {id_: self._asked(Check(relation, names.object_name(type_, id_)), aside=True) for id_ in ids}
        open_ = [verdict for verdict in asked.values() if isinstance(verdict, asyncio.Future)]
        if open_:
            await asyncio.wait(open_)  # no task for each, and being cancelled cancels none of them
        failures = [error for error in (verdict.exception() for verdict in open_) if error is not None]
        if failures:
            raise failures[0]
        return frozenset(id_ for id_, verdict in asked.items() if _decided(_known(verdict)))

    def forget(self) -> None:
        """To be called when this request has changed permissions: later questions are asked anew."""
        self._decided.clear()
        self._seen.clear()
        for loader in ("_checks", "_candidates", "_lists"):
            self.__dict__.pop(loader, None)

    def grounds(self) -> Grounds | None:
        """Everything that was answered in this request so far; None if something was not answered or a list was
        incomplete.
        """
        found = self._answered()
        whole = len(found.checks) == len(self._decided) and len(found.lists) == len(self._seen)
        return found if whole else None

    def granted(self) -> Grounds:
        """What the subject was found to have in this request so far."""
        found = self._answered()
        return Grounds(tuple((check, verdict) for check, verdict in found.checks if verdict), found.lists)

    def _answered(self) -> Grounds:
        checks = ((check, _known(verdict)) for check, verdict in self._decided.items() if _is_answered(verdict))
        lists = (
            (key, seen.result() if isinstance(seen, asyncio.Future) else seen)
            for key, seen in self._seen.items()
            if _is_answered(seen)
        )
        return Grounds(
            tuple((check, verdict) for check, verdict in checks if verdict is not None),
            tuple((key, seen) for key, seen in lists if isinstance(seen, Only)),
        )

    def anew(self) -> "Verdicts":
        """Verdicts of the same subject without any checks yet. Their checks are not counted for the request."""
        return Verdicts(self.subject, self._authority, Ledger(), memory=self._memory)

    def still(self, grounds: Grounds) -> bool:
        """Whether each of these verdicts is unchanged, as far as this request or the memory knows. Asks nobody."""
        for check, verdict in grounds.checks:
            decided = self._decided.get(check)
            if decided is None and self._memory is not None:
                decided = self._memory.kept_check(self.subject.id, check)
                if decided is not None:
                    self._decided[check] = decided
            if decided is not verdict:
                return False
        return all(self._still_sees(key, only) for key, only in grounds.lists)

    def _still_sees(self, key: tuple[str, str], only: Only) -> bool:
        seen = self._seen.get(key)
        if seen is not None or self._memory is None:
            return seen is only or seen == only
        type_, relation = key
        kept = self._memory.kept_list(self.subject.id, relation, type_)
        if kept is None or not kept.complete or (kept.ids is not only.ids and kept.ids != only.ids):
            return False
        self._seen[key] = only
        return True

    def require_subject(self) -> None:
        """Raises `Unauthenticated` for the anonymous subject."""
        if self.subject.is_anonymous:
            raise Unauthenticated("This needs a signed-in user: send a bearer token.")

    async def require(self, relation: str, object_: str) -> None:
        """For mutations and fields: `Unauthenticated` without a subject, `Forbidden` without the relation."""
        self.require_subject()
        if not await self.check(relation, object_):
            _forbid()

    async def require_admin(self) -> None:
        self.require_subject()
        if not await self.is_admin():
            _forbid()

    async def _verdict(self, check: Check) -> bool | None:
        asked = self._asked(check)
        # Shielded, because all who ask the same share one future: one being cancelled must not cancel the others.
        return await asyncio.shield(asked) if isinstance(asked, asyncio.Future) else asked

    def _asked(self, check: Check, *, aside: bool = False) -> "bool | asyncio.Future[bool | None]":
        """The verdict, or the pending question that all callers with the same question share."""
        if check not in self._decided:
            kept = None if self._memory is None else self._memory.kept_check(self.subject.id, check)
            if kept is None:
                self._decided[check] = (self._candidates if aside else self._checks).load(check)
            else:
                self._decided[check] = kept
        return self._decided[check]

    @cached_property
    def _checks(self) -> DataLoader[Check, bool | None]:
        """Made for what memory does not answer, which is seldom: a loader and its function hold each other."""
        return DataLoader(partial(self._load_checks, self._ledger))

    @cached_property
    def _candidates(self) -> DataLoader[Check, bool | None]:
        return DataLoader(partial(self._load_checks, self._ledger.aside))

    @cached_property
    def _lists(self) -> DataLoader[tuple[str, str], Visibility]:
        return DataLoader(self._load_lists)

    async def _load_checks(self, ledger: Ledger, checks: list[Check]) -> list[bool | None]:
        """None is no verdict."""
        answer = await self._authority.batch_check(self.subject.id, checks, ledger=ledger)
        return [None if check in answer.undecided else check in answer.granted for check in checks]

    async def _load_lists(self, keys: list[tuple[str, str]]) -> list[Visibility]:
        return await concurrently(self._list(*key) for key in keys)

    async def _list(self, type_: str, relation: str) -> Visibility:
        listed = await self._authority.list_objects(self.subject.id, relation, type_, ledger=self._ledger)
        return _visibility(listed)


def _visibility(listed: Listed) -> Visibility:
    return Only(listed.ids) if listed.complete else Unbounded()


def _is_answered(answer: object) -> bool:
    return not isinstance(answer, asyncio.Future) or (
        answer.done() and not answer.cancelled() and answer.exception() is None
    )


def _known(verdict: "bool | asyncio.Future[bool | None]") -> bool | None:
    return verdict.result() if isinstance(verdict, asyncio.Future) else verdict


def _decided(verdict: bool | None) -> bool:
    if verdict is None:
        raise PermissionsUnavailable("OpenFGA could not decide a permission of this request: it is denied. Try again.")
    return verdict


def _forbid() -> NoReturn:
    raise Forbidden("You may not do this. Ask an administrator for the permission.")
