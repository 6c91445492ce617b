"""Released migrations have run somewhere: editing one afterwards would make two kinds of databases."""

import hashlib

from deploy.local.paths import CHECKOUT

LANDED = CHECKOUT / "tests" / "migrations" / "landed.sha256"
NEXT_STEP = "Write a new migration. A new one is added with `sha256sum FILE >> tests/migrations/landed.sha256`."


def test_landed_migrations_stay_as_they_are() -> None:
    listed = {path: digest for digest, path in (line.split() for line in LANDED.read_text().splitlines())}
    files = [*CHECKOUT.glob("migrations/**/v[0-9]*.py"), *CHECKOUT.glob("migrations/**/*.sql")]
    found = {str(file.relative_to(CHECKOUT)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    assert found == listed, NEXT_STEP
