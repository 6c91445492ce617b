"""Who asks is known from the token; what they may do, from OpenFGA."""

from dataclasses import dataclass

from loaders.errors import PermissionsUnavailable
from loaders.ledger import Ledger
from loaders.openfga.client import OpenFga
from resolvers.context import Context
from resolvers.permissions.verdicts import Verdicts
from resolvers.subject import Subject
from schema.build import build


@dataclass(frozen=True, slots=True)
class _NoStores:
    """`viewer` reads none."""


async def test_without_openfga_the_viewer_is_still_known() -> None:
    subject, ledger = Subject("someone", email="someone@example.com"), Ledger()
    openfga = await OpenFga.open(url="http://127.0.0.1:1", token=None, store="axion", timeout_ms=500)
    context = Context(subject, "test", _NoStores(), Verdicts(subject, openfga, ledger), ledger)  # type: ignore[arg-type]
    answer = await build().execute("{ viewer { subject email isAdmin } }", context_value=context)
    await openfga.close()
    assert answer.data == {"viewer": {"subject": "someone", "email": "someone@example.com", "isAdmin": None}}
    assert answer.errors is not None
    (error,) = answer.errors
    assert error.path == ["viewer", "isAdmin"]
    assert isinstance(error.original_error, PermissionsUnavailable)
