"""The house rules that tools check, as tests: what `make check` runs is what `make test` proves."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHECKS = {
    "layers": ("lint-imports",),
    "types": ("mypy",),
    "lint": ("ruff", "check"),
    "format": ("ruff", "format", "--check"),
    "sdl": ("axion", "sdl", "--check"),
}


@pytest.mark.parametrize("check", CHECKS)
def test_house(check: str) -> None:
    tool, *words = CHECKS[check]
    done = subprocess.run([Path(sys.executable).parent / tool, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_make_check_runs_the_same() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\ncheck:")[2].partition("\n\n")[0]
    lines = [line.strip().removeprefix("@$(BIN)/") for line in recipe.splitlines()[1:]]
    assert lines == [" ".join(words) for words in CHECKS.values()]


_SQL = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s+\S.*\b(FROM|VALUES|SET)\b", re.DOTALL)


@pytest.mark.parametrize("folder", ["gateway", "schema", "resolvers"])
def test_no_sql_is_spelled_above_the_loaders(folder: str) -> None:
    texts = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.match(node.value)
    ]
    assert texts == []


@pytest.mark.parametrize("folder", ["gateway", "schema", "resolvers"])
def test_no_statement_is_run_above_the_loaders(folder: str) -> None:
    """A transaction is handed down: neither its `rows` nor anything of its `session` is used."""
    uses = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node.value).rpartition(".")[2] in (("within",) if node.attr == "rows" else ("session",))
    ]
    assert uses == []
