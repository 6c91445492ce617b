"""The doctor's checks as a table."""

from rich.markup import escape
from rich.table import Table

from deploy.local.doctor import Check, Verdict

_COLOUR = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.MISSING: "red"}


def table(checks: list[Check]) -> Table:
    shown = Table("check", "state", "found", "what to do")
    for check in checks:
        colour = _COLOUR[check.verdict]
        shown.add_row(check.name, f"[{colour}]{check.verdict}[/]", escape(check.found), escape(check.remedy))
    return shown
