"""Property: under random writes by this client and by another, kept answers are those of OpenFGA itself."""

import random

import pytest

from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import Check, RelationTuple
from resolvers.permissions.cached import CachedAuthority
from tests.loaders.openfga.stores import Store
from tests.resolvers.permissions.test_cached import SECONDS, Clock
from tests.seeds import seeds

STEPS = 300
SUBJECTS = ("ann", "bob")
ORGANIZATIONS = range(4)


class World:
    """Every state since the oldest a kept answer may be of: (from when, membership)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.now: frozenset[RelationTuple] = frozenset()
        self._states: list[tuple[float, frozenset[RelationTuple]]] = [(clock(), self.now)]

    def change(self, tuple_: RelationTuple, *, seen_at_once: bool) -> None:
        self.now = self.now ^ {tuple_}
        if seen_at_once:
            self._states.clear()
        self._states.append((self._clock(), self.now))

    def allowed(self) -> list[frozenset[RelationTuple]]:
        """States that were true at some time less than SECONDS ago."""
        ends = [began for began, _ in self._states[1:]] + [float("inf")]
        recent = zip(self._states, ends, strict=True)
        return [state for (_, state), end in recent if end > self._clock() - SECONDS]


@pytest.mark.parametrize("seed", seeds(3, of="cached"), ids="seed-{}".format)
async def test_kept_answers_are_true_or_were_less_than_their_seconds_ago(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    clock, own, other = Clock(), store.client(), store.client()
    cached = CachedAuthority(own, seconds=SECONDS, size=6, clock=clock)
    world = World(clock)
    questions, calls = 0, Ledger()
    for _ in range(STEPS):
        match rng.choices(("own", "other", "time", "check", "list"), (1, 1, 3, 4, 3))[0]:
            case "time":
                clock.now += rng.choice((0.0, 0.1, 0.3, SECONDS))
            case "own" | "other" as who:
                await _change(world, own if who == "own" else other, rng, seen_at_once=who == "own")
            case "check":
                questions += 1
                subject = rng.choice(SUBJECTS)
                chosen = rng.sample(ORGANIZATIONS, rng.randint(1, 4))
                checks = [Check("can_view", names.organization(each)) for each in chosen]
                answer = await cached.batch_check(subject, checks, ledger=calls)
                assert answer.undecided == frozenset()
                for check in checks:  # each by itself: they may be of different moments
                    possible = {_member(subject, check.object) in state for state in world.allowed()}
                    assert (check in answer.granted) in possible
                truth = await other.batch_check(subject, checks, ledger=Ledger())
                assert truth.granted == {c for c in checks if _member(subject, c.object) in world.now}
            case "list":
                questions += 1
                subject = rng.choice(SUBJECTS)
                found = await cached.list_objects(subject, "can_view", "organization", ledger=calls)
                assert found.complete
                assert found.ids in [_ids(subject, state) for state in world.allowed()]
        assert cached.weight <= 12
    assert calls.stores["openfga"].statements < 0.95 * questions  # some were kept, else nothing was tried


async def _change(world: World, client: OpenFga, rng: random.Random, *, seen_at_once: bool) -> None:
    tuple_ = _member(rng.choice(SUBJECTS), names.organization(rng.choice(ORGANIZATIONS)))
    held = tuple_ in world.now
    await client.write([] if held else [tuple_], [tuple_] if held else [], ledger=Ledger())
    world.change(tuple_, seen_at_once=seen_at_once)


def _member(subject: str, organization: str) -> RelationTuple:
    return RelationTuple(names.user(subject), "member", organization)


def _ids(subject: str, state: frozenset[RelationTuple]) -> frozenset[str]:
    return frozenset(names.id_of(each.object) for each in state if each.user == names.user(subject))
