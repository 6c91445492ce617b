"""A cache of answers that live for a moment, which also lets callers share questions that are under way."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias, TypeVar

K = TypeVar("K")
V = TypeVar("V")

Ask: TypeAlias = Callable[[Sequence[K]], Coroutine[Any, Any, Mapping[K, V]]]
"""One call for several questions; every one of them has an answer in the result."""


Lookup = Literal["kept", "shared", "asked"]
"""How a question came to its answer: from memory, by a call already under way, or by a call of its own."""


@dataclass(frozen=True, slots=True)
class _Kept(Generic[V]):
    answer: V
    asked: float
    weight: int


@dataclass(slots=True, eq=False)
class _Call(Generic[K, V]):
    keys: Sequence[K]
    asked: float
    version: int
    task: "asyncio.Task[Mapping[K, V]]" = field(init=False)


class Answers(Generic[K, V]):
    """An answer may be used for `seconds` after its question was sent, unless the source's `version` has changed.

    The answer to a question that `lasts` may be used for longer if it was sent after `known_good`: the instant since
    which nothing is known to have changed (None while that is unknown).

    A caller also shares calls that are under way on these terms. Of a call that was sent after the caller came, it
    accepts whatever the source answers, whenever that is. A failed call fails those who wait for it and is not cached.
    A call continues when its callers are cancelled. `weigh` gives the weight of an answer towards `size`, the bound of
    the cache (oldest out first), or None for an answer that must not be cached. A question with a cached answer costs
    no task and no await.
    """

    def __init__(
        self,
        *,
        seconds: float,
        size: int,
        version: Callable[[], int],
        weigh: Callable[[V], int | None],
        clock: Callable[[], float],
        count: Callable[[Lookup], None],
        known_good: Callable[[], float | None],
        lasts: Callable[[K], bool],
    ) -> None:
        self._seconds = seconds
        self._known_good = known_good
        self._lasts = lasts
        self._size = size
        self._version = version
        self._weigh = weigh
        self._clock = clock
        self._count = count
        self._kept: OrderedDict[K, _Kept[V]] = OrderedDict()
        self._weight = 0
        self._calls: dict[K, _Call[K, V]] = {}
        self._running: set[asyncio.Task[Mapping[K, V]]] = set()
        self._known_version = version()

    @property
    def weight(self) -> int:
        """The weight of what is cached now; never above `size`."""
        return self._weight

    def kept(self, key: K) -> V | None:
        """The answer that `get` would give without asking or waiting. Counted only if there is one."""
        self._drop_outdated()
        kept = self._kept.get(key)
        if kept is None:
            return None
        aged, good = self._oldest()
        if kept.asked <= (good if self._lasts(key) else aged):
            return None
        self._count("kept")
        return kept.answer

    async def get(self, keys: Iterable[K], ask: Ask[K, V]) -> dict[K, V]:
        """The answer to each distinct key. Raises what `ask` raises."""
        came = self._clock()
        answers: dict[K, V] = {}
        open_ = list(dict.fromkeys(keys))
        while open_:
            waits = self._look_up(open_, ask, came, answers)
            if not waits:
                break
            await asyncio.wait({call.task for call in waits.values()})  # never cancels what it waits for
            open_ = []
            for key, call in waits.items():
                answer = call.task.result()[key]
                if call.asked >= came or self._clock() < call.asked + self._seconds:
                    answers[key] = answer
                else:
                    open_.append(key)
        return answers

    async def close(self) -> None:
        """Ends the calls that still run; their callers are cancelled."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _look_up(self, keys: list[K], ask: Ask[K, V], came: float, answers: dict[K, V]) -> dict[K, _Call[K, V]]:
        """Puts cached answers into `answers`. Returns the calls to wait for: those under way, and one for the rest."""
        self._drop_outdated()
        aged, good = self._oldest()
        waits: dict[K, _Call[K, V]] = {}
        missing: list[K] = []
        for key in keys:
            kept = self._kept.get(key)
            call = self._calls.get(key)
            oldest = good if self._lasts(key) else aged
            if kept is not None and kept.asked > oldest:
                answers[key] = kept.answer
                self._count("kept")
            elif call is not None and (call.asked > oldest or call.asked >= came):
                waits[key] = call
                self._count("shared")
            else:
                missing.append(key)
                self._count("asked")
        if missing:
            waits |= dict.fromkeys(missing, self._begin(missing, ask))
        return waits

    def _begin(self, keys: list[K], ask: Ask[K, V]) -> _Call[K, V]:
        call = _Call[K, V](keys, asked=self._clock(), version=self._known_version)
        call.task = asyncio.create_task(ask(keys))
        self._running.add(call.task)
        call.task.add_done_callback(lambda task: self._ended(call, task))
        self._calls.update(dict.fromkeys(keys, call))
        return call

    def _ended(self, call: _Call[K, V], task: "asyncio.Task[Mapping[K, V]]") -> None:
        self._running.discard(task)
        for key in call.keys:
            if self._calls.get(key) is call:
                del self._calls[key]
        if task.cancelled() or task.exception() is not None:
            return
        self._drop_outdated()
        if call.version != self._known_version:
            return
        for key, answer in task.result().items():
            weight = self._weigh(answer)
            if weight is not None and weight <= self._size:
                self._keep(key, _Kept(answer, call.asked, weight))

    def _keep(self, key: K, kept: _Kept[V]) -> None:
        before = self._kept.pop(key, None)
        if before is not None:
            self._weight -= before.weight
            kept = max(before, kept, key=lambda each: each.asked)
        self._kept[key] = kept
        self._weight += kept.weight
        _, oldest = self._oldest()
        while self._weight > self._size or next(iter(self._kept.values())).asked <= oldest:
            _, dropped = self._kept.popitem(last=False)
            self._weight -= dropped.weight
            if not self._kept:
                break

    def _oldest(self) -> tuple[float, float]:
        """Since when an answer must have been asked for to be used: for any question, and for one that lasts."""
        aged, good = self._clock() - self._seconds, self._known_good()
        return aged, aged if good is None else min(aged, good)

    def _drop_outdated(self) -> None:
        version = self._version()
        if version != self._known_version:
            self._known_version = version
            self._kept.clear()
            self._calls.clear()
            self._weight = 0
