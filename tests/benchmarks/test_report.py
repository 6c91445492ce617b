"""The pages that show the figures are written by the benchmark and by nobody else."""

from pathlib import Path

import pytest

from tests.benchmarks.figure import Figure, Goal
from tests.benchmarks.report import BENCHMARKS_PAGE, README, write_documents

FIGURES = [
    Figure("a list", 30, "requests/s", 10, "a peer", 3.0, (2.5, 3.5), Goal("at least", 3)),
    Figure("memory", 17, "MiB", goal=Goal("at most", 16, " MiB")),
    Figure("for information", 1, "ms"),
]


def test_tables_stand_between_the_markers(tmp_path: Path) -> None:
    pages = tmp_path / "README.md", tmp_path / "benchmarks.md"
    for page in pages:
        page.write_text("before\n<!-- make bench writes this -->\nold\n<!-- as far as here -->\nafter\n")
    for _ in range(2):
        write_documents(FIGURES, ["a machine", "its libraries"], readme=pages[0], page=pages[1])
    short, long = (page.read_text() for page in pages)
    assert (
        short
        == """before
<!-- make bench writes this -->
a machine.

| what | against | measured | goal | met |
| --- | --- | --- | --- | --- |
| a list | a peer | 3.00x | at least 3x | yes |
| memory | - | 17 MiB | at most 16 MiB | NO |
<!-- as far as here -->
after
"""
    )
    assert "- a machine\n- its libraries\n\n" in long
    assert "| a list | a peer | 30 | 10 | requests/s | 3.00 (2.50-3.50) | at least 3x | yes |" in long
    assert "| for information | - | 1 | - | ms | - | - | - |" in long
    assert "old" not in short + long


def test_a_page_without_markers_is_not_touched(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("text")
    with pytest.raises(ValueError, match=r"README\.md has no <!-- make bench"):
        write_documents(FIGURES, ["a machine"], readme=page, page=page)
    assert page.read_text() == "text"


@pytest.mark.parametrize("page", [README, BENCHMARKS_PAGE])
def test_the_pages_have_the_markers(page: Path) -> None:
    assert page.read_text().count("<!-- make bench writes this -->") == 1
    assert page.read_text().count("<!-- as far as here -->") == 1
