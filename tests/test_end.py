"""How a run of the suite ends, after its summary."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMPORTS_DUCKDB = "tests/loaders/raw_sql/test_nested.py"


def test_nothing_is_reported_as_leaked() -> None:
    """DuckDB's binding reports at the end of the interpreter what of it was not freed."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--collect-only", IMPORTS_DUCKDB]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
