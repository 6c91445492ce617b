"""A whole answer beside the oracle's: data, errors, and what is refused for a mistake of the caller."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import ExecutionResult, GraphQLError

from tests.differential.compare import compare
from tests.differential.errors import Path, compare_errors
from tests.differential.oracle.shown import Cursor

_MISTAKES = frozenset({"BAD_USER_INPUT", "INVALID_ID", "INVALID_CURSOR", "PAGE_TOO_LARGE"})


def is_refused(found: Mapping[str, Any]) -> bool:
    return any(error["extensions"]["code"] in _MISTAKES for error in found.get("errors", ()))


def compare_answers(
    found: Mapping[str, Any], expected: ExecutionResult, cursors: dict[str, Cursor], *, faults: int
) -> None:
    """`faults`: how many places of the document may be mistakes."""
    wrong = list(expected.errors or ())
    if expected.data is None and wrong and wrong[0].path is None:
        codes = {error["extensions"]["code"] for error in found["errors"]}
        assert ("data" in found, codes) == (False, {_code(wrong[0])}), found
        return
    refused = _refused(found.get("errors", ()), wrong, faults)
    compare_errors(
        [error for error in found.get("errors", ()) if tuple(error["path"]) not in refused],
        [error for error in wrong if not any(_is_below(error, root) for root in refused)],
    )
    data = expected.data
    for root in refused:
        data = _nulled(data, root)
    compare(found["data"], data, cursors)


def _refused(
    ours: Sequence[Mapping[str, Any]], expected: Sequence[GraphQLError], faults: int
) -> Mapping[tuple[str, ...], str]:
    """The reads that a mistake anywhere in them refuses: path and code.

    The oracle comes by a mistake only where there are rows; the gateway tells of it whether there are or not.
    """
    refused = {
        tuple(error["path"]): error["extensions"]["code"] for error in ours if error["extensions"]["code"] in _MISTAKES
    }
    assert not refused or faults, f"refused without a reason: {ours}"
    for error in expected:
        if _code(error) in _MISTAKES:
            codes = [code for root, code in refused.items() if _is_below(error, root)]
            assert codes, f"answered in spite of {error.message} at {error.path}"
            assert faults > 1 or codes == [_code(error)], f"{codes} for {error.message} at {error.path}"
    return refused


def _is_below(error: GraphQLError, root: Path) -> bool:
    assert error.path is not None
    return error.path[: len(root)] == list(root)


def _nulled(data: Any, path: Path) -> Any:
    if not path:
        return None
    return {**data, path[0]: _nulled(data[path[0]], path[1:])}


def _code(error: GraphQLError) -> str:
    assert error.extensions is not None
    return str(error.extensions["code"])
