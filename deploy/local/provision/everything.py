"""All artifacts of the stack. The root (network and disk) is built in parallel with the Go binaries (processor)."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.local.command import ended_on_interrupt
from deploy.local.paths import cache_folder
from deploy.local.progress import Progress
from deploy.local.provision.artifact import Recipe, provide
from deploy.local.provision.browser import provide_browser
from deploy.local.provision.debian_root import DebianRoot
from deploy.local.provision.go_binary import OPENFGA, VERSITYGW
from deploy.local.provision.local_bigquery import LOCAL_BIGQUERY
from deploy.local.provision.spark import SPARK

EMULATORS: tuple[Recipe, ...] = (LOCAL_BIGQUERY, SPARK)
"""What the emulators of warehouses need in addition."""


@dataclass(frozen=True, slots=True)
class Provisions:
    postgres_root: Path
    openfga: Path
    versitygw: Path


def provision(progress: Progress) -> Provisions:
    """Builds what is missing and verifies the rest; raises the first `StackError`."""
    cache = cache_folder()

    def lane(*recipes: Recipe) -> list[Path]:
        return [provide(recipe, cache=cache, progress=progress).folder for recipe in recipes]

    with ThreadPoolExecutor(2) as pool, ended_on_interrupt():
        root = pool.submit(lane, DebianRoot(os.environ.get("AXION_DEBIAN_MIRROR")))
        binaries = pool.submit(lane, OPENFGA, VERSITYGW)
        (postgres_root,), (openfga, versitygw) = root.result(), binaries.result()
    return Provisions(postgres_root, openfga / "bin" / "openfga", versitygw / "bin" / "versitygw")


def provision_for_tests(progress: Progress) -> None:
    """The emulators and a browser, so that the first test that needs one does not wait; raises the first
    `StackError`.
    """
    for recipe in EMULATORS:
        provide(recipe, cache=cache_folder(), progress=progress)
    provide_browser(progress)
