"""Incremental delivery: first what is not deferred, then each part as it arrives. Errors and denials are handled as in
a single answer.

With `extensions.stores`, the ledger is in the first part (so far) and in the last (complete).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from graphql import (
    ExecutionResult,
    ExperimentalIncrementalExecutionResults,
    GraphQLError,
    IncrementalDeferResult,
    IncrementalStreamResult,
    SubsequentIncrementalExecutionResult,
)
from graphql.execution import PendingResult

from gateway.http.answer import OK, Answer, code_of, executed, failed, ledger, note_denials, refused
from gateway.http.coordinates import Coordinates
from gateway.http.errors import shape_executed, shape_failure
from gateway.http.media_type import Parts
from gateway.http.part_formats import Arrived, Errors, Expected, announced, entries
from gateway.http.refusal import Refusal
from resolvers.context import Context

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    body: bytes
    is_last: bool


class InParts:
    """The parts of one operation, encoded. `code` is the code of the first error of all, for the log and the
    metrics.
    """

    def __init__(
        self,
        results: ExperimentalIncrementalExecutionResults,
        context: Context,
        form: Parts,
        coordinates: Coordinates,
        *,
        with_stores: bool,
    ) -> None:
        self._initial, self._subsequent = results
        self._context = context
        self._coordinates = coordinates
        self.form = form
        self._with_stores = with_stores
        self._expected: dict[str, Expected] = {}
        self.code = OK

    def first(self) -> Part:
        initial, failures = self._initial, self._context.failures
        placed = [(failure, _is_in(initial.data, failure.path)) for failure in failures]
        failures[:] = [failure for failure, is_here in placed if is_here]
        result = ExecutionResult(initial.data, initial.errors)
        answer = executed(result, self._context, self._coordinates, with_stores=self._with_stores)
        failures[:] = [failure for failure, is_here in placed if not is_here]
        self.code = answer.code
        whole = Arrived("", None, [], None, None, initial.data, [])
        pending = self._expect(initial.pending, [whole])
        shown = {"pending": pending} if self.form is Parts.BY_ID else {}
        return Part(orjson.dumps(answer.body | shown | {"hasNext": True}), is_last=False)

    async def next(self) -> Part:
        """The next part. To be called after `first` until a part is the last. Raises nothing but cancellation."""
        try:
            return self._part(await anext(self._subsequent))
        except Exception:  # noqa: BLE001 - the last line: logged, masked, answered
            _log.exception("operation_failed", request_id=self._context.request_id)
            return self._given_up(failed(self._context.request_id))

    def refused(self, refusal: Refusal) -> Part:
        """The last part, in which everything that has not arrived ends with the errors of the refusal."""
        return self._given_up(refused(refusal))

    async def close(self) -> None:
        """Cancels what has not arrived and waits for its end."""
        await self._subsequent.aclose()

    def _part(self, result: SubsequentIncrementalExecutionResult) -> Part:
        arrived = [self._arrive(each) for each in result.incremental or ()]
        pending = self._expect(result.pending or (), arrived)
        self._place_failures(arrived, is_last=not result.has_next)
        completed = [(each.id, self._shaped(each.errors or ())) for each in result.completed or ()]
        for errors in (*(each.errors for each in arrived), *(errors for _, errors in completed)):
            self._note(errors)
        body = self._entries(completed, pending=pending, arrived=arrived)
        for id_, _ in completed:
            del self._expected[id_]
        if not result.has_next and self._with_stores:
            body["extensions"] = ledger(self._context)
        return Part(orjson.dumps(body | {"hasNext": result.has_next}), is_last=not result.has_next)

    def _given_up(self, answer: Answer) -> Part:
        completed = [
            (id_, [{**error, "path": expected.path} for error in answer.body["errors"]])
            for id_, expected in self._expected.items()
        ]
        self._note(answer.body["errors"])
        body = self._entries(completed)
        if self._with_stores:
            body["extensions"] = ledger(self._context)
        return Part(orjson.dumps(body | {"hasNext": False}), is_last=True)

    def _expect(self, pending: Iterable[PendingResult], arrived: Sequence[Arrived]) -> list[dict[str, Any]]:
        """Registers the pending parts. `arrived` contains the objects and lists that they belong to."""
        for each in pending:
            holders = [holder.at(each.path) for holder in arrived if each.path and holder.holds(each.path)]
            item = len(holders[0]) if holders and isinstance(holders[0], list) else None
            self._expected[each.id] = Expected(each.path, each.label, item)
        return [announced(each.id, each.path, each.label) for each in pending]

    def _arrive(self, result: IncrementalDeferResult | IncrementalStreamResult) -> Arrived:
        expected = self._expected[result.id]
        path = [*expected.path, *(result.sub_path or ())]
        errors = self._shaped(result.errors or ())
        if isinstance(result, IncrementalDeferResult):
            return Arrived(result.id, expected.label, path, result.sub_path, None, result.data, errors)
        assert expected.item is not None
        item, expected.item = expected.item, expected.item + len(result.items)
        return Arrived(result.id, expected.label, path, result.sub_path, item, result.items, errors)

    def _place_failures(self, arrived: Sequence[Arrived], *, is_last: bool) -> None:
        """Adds failed reads from other stores to the part that holds their place, and keeps those whose part has not
        arrived.
        """
        kept = []
        for failure in self._context.failures:
            holders = [each for each in arrived if each.holds(failure.path)]
            if holders:
                holder = max(holders, key=lambda each: len(each.path))
                holder.errors.append(shape_failure(failure.error, failure.path, failure.nulls))
            else:
                kept.append(failure)
        self._context.failures[:] = kept
        if kept and is_last:
            _log.error("failures_without_place", request_id=self._context.request_id, count=len(kept))

    def _shaped(self, errors: Iterable[GraphQLError]) -> Errors:
        return [shape_executed(error, request_id=self._context.request_id) for error in errors]

    def _note(self, errors: Errors) -> None:
        note_denials(errors, self._context, self._coordinates)
        if self.code == OK:
            self.code = code_of(errors)

    def _entries(
        self,
        completed: Sequence[tuple[str, Errors]],
        *,
        pending: Sequence[dict[str, Any]] = (),
        arrived: Sequence[Arrived] = (),
    ) -> dict[str, Any]:
        return entries(self.form, pending=pending, arrived=arrived, completed=completed, expected=self._expected)


def _is_in(data: Any, path: Sequence[str | int]) -> bool:
    """Whether the place exists in the data; places below a null or inside JSON built by a store count as existing."""
    for step in path:
        if isinstance(data, dict) and step not in data:
            return False
        if isinstance(data, list) and not (isinstance(step, int) and step < len(data)):
            return False
        if not isinstance(data, dict | list):
            return True
        data = data[step]  # type: ignore[index]  # a step fits what it leads through: looked at above
    return True
