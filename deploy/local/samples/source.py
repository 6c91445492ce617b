"""The installed starlette's source, cut into chunks at functions, methods and classes."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from itertools import pairwise

_MOST_LINES = 60


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines `first_line` to `last_line` (from 1) of a file. `symbol` is the definition it begins in, empty before any.

    `index` counts the chunks of a file from 0; in order of `index` they hold every line of the file once.
    """

    path: str
    index: int
    first_line: int
    last_line: int
    symbol: str
    text: str

    @property
    def title(self) -> str:
        return f"{self.path}: {self.symbol}" if self.symbol else self.path


def starlette_version() -> str:
    return version("starlette")


def starlette_chunks() -> list[Chunk]:
    """Every module of the package, in order of path. Empty modules have no chunk."""
    root = files("starlette")
    sources: dict[str, str] = {}
    folders = [(root, "starlette")]
    while folders:
        folder, path = folders.pop()
        for entry in folder.iterdir():
            if entry.is_dir():
                folders.append((entry, f"{path}/{entry.name}"))
            elif entry.name.endswith(".py"):
                sources[f"{path}/{entry.name}"] = entry.read_text(encoding="utf-8")
    return [chunk for path in sorted(sources) for chunk in chunks(path, sources[path])]


def chunks(path: str, source: str) -> Iterator[Chunk]:
    """Chunks of one Python file of at most 60 lines each. SyntaxError when it is none."""
    lines = source.splitlines()
    if not "".join(lines).strip():
        return
    cuts = dict(_definitions(ast.parse(source)))
    symbols = {1: ""} | cuts
    starts = _packed([1, *sorted(cut for cut in cuts if cut > 1), len(lines) + 1], cuts, lines)
    for index, (start, end) in enumerate(pairwise(starts)):
        symbol = symbols[max(line for line in symbols if line <= start)]
        yield Chunk(path, index, start, end - 1, symbol, "\n".join(lines[start - 1 : end - 1]))


def _definitions(tree: ast.AST, owner: str = "") -> Iterator[tuple[int, str]]:
    """(first line with its decorators, qualified name) of each function and class, methods included."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{owner}.{node.name}" if owner else node.name
            yield min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]), name
            if isinstance(node, ast.ClassDef):
                yield from _definitions(node, name)


def _packed(cuts: list[int], symbols: dict[int, str], lines: list[str]) -> list[int]:
    """Of the cuts those where chunks begin: a chunk ends at a class or when the next piece would not fit."""
    starts = [1]
    for start, end in pairwise(cuts):
        begins_class = "." not in symbols.get(start, ".") and lines[start - 1].startswith("class ")
        if start > starts[-1] and (begins_class or end - starts[-1] > _MOST_LINES):
            starts.append(start)
        while end - starts[-1] > _MOST_LINES:
            starts.append(_paragraph(lines, starts[-1]))
    return [*starts, len(lines) + 1]


def _paragraph(lines: list[str], start: int) -> int:
    """Where to cut a piece that is too long: after its last blank line that fits, else at the limit."""
    limit = start + _MOST_LINES
    for line in range(limit, start + 1, -1):
        if not lines[line - 2].strip():
            return line
    return limit
