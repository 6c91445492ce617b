"""`nodes(ids:)`: many objects by their global ids, with one read for each type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

from graphql import GraphQLResolveInfo

from loaders.concurrently import concurrently
from loaders.errors import AxionError, BadInput, InvalidId
from loaders.failure import Failure
from loaders.read import Value
from resolvers.answer import answer_known
from resolvers.context import Context
from schema.mapping.ids import has_id_of, row_key
from schema.mapping.node import type_of
from schema.mapping.object import OBJECTS, policies
from schema.mapping.roots import require_reader_of, selection
from schema.mapping.selection import OWN_ID
from schema.mapping.splice import Spliced, rows

MAX_NODES = 100
Key: TypeAlias = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class _OfType:
    """The ids of one type, with the positions of each row in the answer: several if its id was given several times."""

    ids: list[str]
    places: dict[Key, list[int]]


async def nodes(_: Any, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> Any:
    """A failure is reported at its own position: a malformed id, or a store that is down, affects no other."""
    ids, context = arguments["ids"], cast(Context, info.context)
    if len(ids) > MAX_NODES:
        raise BadInput(f"`ids` holds {len(ids)} ids, and at most {MAX_NODES} are answered at once.")
    if context.capture is not None:
        raise BadInput("Objects by their ids are not streamed. Ask for them as JSON, or for the list they are of.")
    answers: list[Any] = [None] * len(ids)
    found = await concurrently(_of_type(name, asked, info) for name, asked in _grouped(ids, answers).items())
    for by_place in found:
        for place, value in by_place.items():
            answers[place] = value
    return answers


def _grouped(ids: Sequence[str], answers: list[Any]) -> dict[str, _OfType]:
    """The ids grouped by the name of their type. Malformed ids become errors at their positions."""
    grouped: dict[str, _OfType] = {}
    for place, node_id in enumerate(ids):
        try:
            name = type_of(node_id)
            key = row_key(node_id, OBJECTS[name])
        except InvalidId as error:
            answers[place] = error
            continue
        asked = grouped.setdefault(name, _OfType([], {}))
        if key not in asked.places:
            asked.ids.append(node_id)
        asked.places.setdefault(key, []).append(place)
    return grouped


async def _of_type(name: str, asked: _OfType, info: GraphQLResolveInfo[Any]) -> dict[int, Any]:
    """Puts each row at its positions; a hidden or absent row has none. Of several rows with the same key the first
    counts.
    """
    context: Context = info.context
    mapping, at = OBJECTS[name], tuple(info.path.as_list())
    try:
        require_reader_of(name, info)
        built = selection(info).known(mapping, info.field_nodes, has_id_of(asked.ids, mapping))
        tree, failures = await answer_known(built.read, context, policies(), rows=len(asked.ids))
    except AxionError as error:
        places = [place for each in asked.places.values() for place in each]
        context.failures.append(Failure((*at, min(places)), len(places), error))
        return {}
    listed = cast(Mapping[str, list[dict[str, Any]]], tree)["nodes"]
    answers: dict[int, Any] = {}
    first: list[int] = []
    for row in listed:
        places = asked.places[row_key(row.pop(OWN_ID), mapping)]
        first.append(places[0])
        for place in places:
            answers.setdefault(place, Spliced(row) if built.open is None else rows(row, built.open))
    for failure in failures:  # its path is `nodes`, the row's place there, and what is below the row
        _, number, *below = failure.path
        context.failures.append(replace(failure, path=(*at, first[cast(int, number)], *below)))
    return answers
