"""A server that is distributed as a Go module, built at a pinned version."""

import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.local.command import run_logged
from deploy.local.errors import StackError

NO_GO = (
    "Go 1.21 or newer is needed to build OpenFGA and versitygw (go.dev/dl, or Debian's golang-go from trixie or "
    "bookworm-backports). Without it, point AXION_OPENFGA__URL and AXION_OBJECTS__ENDPOINT at real servers "
    "(docs/settings.md), or use Docker: `make compose`"
)


@dataclass(frozen=True, slots=True)
class GoBinary:
    """Recipe of one binary. `go install` verifies the module against the checksum database."""

    name: str
    package: str
    version: str
    sealed: tuple[str, ...] = ()
    hashed: tuple[str, ...] = ("bin",)

    @property
    def inputs(self) -> dict[str, str]:
        return {"package": self.package, "version": self.version, "machine": platform.machine()}

    def build(self, folder: Path, log: Path) -> None:
        go = find_go()
        if go is None:
            raise StackError(NO_GO)
        target = folder / "bin"
        run_logged(
            [go, "install", f"{self.package}@{self.version}"],
            log=log,
            environment={"CGO_ENABLED": "0", "GOBIN": str(target)},
        )


def find_go() -> str | None:
    """`go` from the PATH, or from where go.dev's archive is unpacked, which sudo's PATH lacks."""
    return shutil.which("go") or shutil.which("/usr/local/go/bin/go")


OPENFGA = GoBinary("openfga", "github.com/openfga/openfga/cmd/openfga", "v1.22.1")
VERSITYGW = GoBinary("versitygw", "github.com/versity/versitygw/cmd/versitygw", "v1.8.0")
