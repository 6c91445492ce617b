"""Spark's Thrift server, which speaks Impala's protocol (HiveServer2): PySpark's jars and two classes of our own."""

import hashlib
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local.command import run_logged
from deploy.local.errors import StackError

_PACKAGE = "pyspark==4.3.0"
_HASH = "e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6"
_SOURCES = Path(__file__).parents[1] / "spark"
NO_JAVA = (
    "A Java development kit, version 17 or 21, is needed to build and run the emulator of Impala (Debian: "
    "apt-get install openjdk-17-jdk-headless)"
)


@dataclass(frozen=True, slots=True)
class Spark:
    """`jars` is what the package holds, `classes` what is compiled against it."""

    name: str = "spark"
    sealed: tuple[str, ...] = ("site/pyspark/jars", "classes")
    hashed: tuple[str, ...] = ("classes",)

    @property
    def inputs(self) -> dict[str, str]:
        sources = b"".join(path.read_bytes() for path in sorted(_SOURCES.glob("*.java")))
        return {
            "package": _PACKAGE,
            "hash": _HASH,
            "sources": hashlib.sha256(sources).hexdigest(),
            "machine": platform.machine(),
        }

    def build(self, folder: Path, log: Path) -> None:
        javac = shutil.which("javac")
        if javac is None:
            raise StackError(NO_JAVA)
        requirements = folder / "requirements.txt"
        requirements.write_text(f"{_PACKAGE} --hash=sha256:{_HASH}\n")
        command = (
            *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--no-compile"),
            *("--require-hashes", f"--requirement={requirements}", f"--target={folder / 'site'}"),
        )
        run_logged(command, log=log)
        jars = folder / "site" / "pyspark" / "jars"
        sources = [str(path) for path in sorted(_SOURCES.glob("*.java"))]
        run_logged([javac, "-cp", f"{jars}/*", "-d", str(folder / "classes"), *sources], log=log)


SPARK = Spark()
