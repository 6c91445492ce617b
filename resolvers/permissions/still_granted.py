"""Whether the subject still has what a long answer was begun under."""

from collections import defaultdict
from collections.abc import Collection
from typing import assert_never

from loaders.errors import Forbidden
from loaders.openfga import names
from resolvers.permissions.verdicts import Everything, Grounds, Only, Unbounded, Verdicts


async def require_still(granted: Grounds, *, verdicts: Verdicts) -> None:
    """`Forbidden` once any of it is taken away, `PermissionsUnavailable` without a verdict.

    `verdicts` know nothing yet (`Verdicts.anew`). Memory is asked first, OpenFGA as for a read under the same guards.
    """
    together: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for check, _ in granted.checks:
        if check.parent is None:
            together[names.type_of(check.object), check.relation].add(names.id_of(check.object))
        elif not await verdicts.check(check.relation, check.object, parent=check.parent):
            _lost()
    for (type_, relation), ids in together.items():
        await _require(type_, relation, ids, verdicts)
    for (type_, relation), only in granted.lists:
        match await verdicts.visible(type_, relation):
            case Everything():
                pass
            case Only(seen):
                if not only.ids <= seen:
                    _lost()
            case Unbounded():  # by now, or since the list came too late
                await _require(type_, relation, only.ids, verdicts)
            case never:
                assert_never(never)


async def _require(type_: str, relation: str, ids: Collection[str], verdicts: Verdicts) -> None:
    if len(await verdicts.filter(type_, relation, ids)) != len(ids):
        _lost()


def _lost() -> None:
    raise Forbidden("You may not see all of this any more: it is ended.")
