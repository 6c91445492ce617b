"""Parses the text of one statement to a tree, within bounds of size, parser steps and CPU time for any text.

sqlglot's parser backtracks where a type may also be a function, so that 150 characters of `STRUCT(STRUCT(...` take it
minutes. Its steps are counted while it works. Parsing blocks: call it in a thread.
"""

from functools import cache
from time import thread_time
from typing import Any, Final

from sqlglot import Dialect, exp
from sqlglot.errors import SqlglotError

from loaders.errors import SqlRefused
from loaders.raw_sql.errors import refuse, shortened

MAX_CHARACTERS: Final = 20_000
MAX_TOKENS: Final = 2_500
_STEPS_EACH_TOKEN: Final = 4
"""The allowed steps per token. A statement parsed without backtracking takes little more than one."""
_STEPS: Final = 5_000
_CPU_S: Final = 0.5


class _TooLong(Exception):
    """Not a `ParseError`, which would make the parser backtrack and try an alternative."""


def parse(text: str, dialect: str) -> exp.Expr:
    """The tree of the one statement. `SqlRefused` for none, for several, for text that is not SQL of the dialect, and
    beyond the bounds.
    """
    if len(text) > MAX_CHARACTERS:
        refuse("The statement", f"it has {len(text)} characters, at most {MAX_CHARACTERS} are read. Shorten it.")
    if "\x00" in text or (not text.isprintable() and any(_is_hidden(c) for c in text)):
        refuse("The statement", "it holds control or invisible characters. Remove them.")
    try:
        found = _trees(text, dialect)
    except _TooLong:
        refuse("The statement", "it is nested too deeply to be read in time. Use WITH instead of nesting.")
    except RecursionError:
        refuse("The statement", "it is nested too deeply. Use WITH instead of nesting.")
    except SqlglotError as error:
        raise SqlRefused(_unreadable(error)) from None
    except (IndexError, KeyError, AttributeError, TypeError, ValueError, AssertionError):
        # errors that sqlglot's parser does not wrap for texts that are not SQL
        refuse("The statement", "it is no SQL of this engine that can be read. Correct it.")
    statements = [tree for tree in found if tree is not None and not isinstance(tree, exp.Semicolon)]
    if not statements:
        refuse("The statement", "it is empty. Write one SELECT.")
    if len(statements) > 1:
        refuse("A second statement", "exactly one is run. Send them one by one.", at=statements[1])
    return statements[0]


def _trees(text: str, dialect: str) -> list[exp.Expr | None]:
    spoken = Dialect.get_or_raise(dialect)
    tokens = spoken.tokenize(text)
    if len(tokens) > MAX_TOKENS:
        refuse("The statement", f"it has {len(tokens)} words and signs, at most {MAX_TOKENS} are read. Shorten it.")
    parser = _counted(type(spoken).parser_class)(dialect=spoken)
    parser.allow(_STEPS + _STEPS_EACH_TOKEN * len(tokens))
    trees: list[exp.Expr | None] = parser.parse(tokens, text)
    return trees


@cache
def _counted(parser: type[Any]) -> type[Any]:
    class Counted(parser):  # type: ignore[misc]  # of the dialect, known at run time
        def allow(self, steps: int) -> None:
            self._left = steps
            self._until = thread_time() + _CPU_S

        def _advance(self, times: int = 1) -> None:
            self._left -= 1
            if self._left < 0 or thread_time() > self._until:
                raise _TooLong
            super()._advance(times)

        def _warn_unsupported(self) -> None:
            """Suppresses sqlglot's warning, which would log the statement. Unsupported syntax is refused anyway."""

    return Counted


def _is_hidden(character: str) -> bool:
    """Whether a character is invisible, other than the spaces, tabs and line breaks that a keyboard produces."""
    return not character.isprintable() and character not in " \t\r\n"


def _unreadable(error: SqlglotError) -> str:
    details: list[dict[str, Any]] = getattr(error, "errors", [])
    first = details[0] if details else {}
    if first.get("line") is None:
        return "The statement is no SQL of this engine that can be read. Correct it."
    near = shortened(str(first.get("highlight") or "its end"))
    place = f"line {first['line']}, column {first['col']}"
    return f"The statement cannot be read at {near!r} ({place}). Write one SELECT in the engine's SQL."
