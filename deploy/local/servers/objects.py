"""versitygw: S3 over a folder. It checks keys and signatures as S3 does."""

import os
from pathlib import Path

from deploy.local.part import Part, Probe
from deploy.local.paths import StatePaths
from deploy.local.ports import Ports
from deploy.local.secrets import Secrets
from deploy.local.servers.http import complaint

NAME = "objects"


def part(binary: Path, paths: StatePaths, ports: Ports, secrets: Secrets) -> Part:
    folder = paths.data / NAME
    folder.mkdir(exist_ok=True)
    return Part(
        probe=probe(ports),
        command=(
            str(binary),
            f"--port=127.0.0.1:{ports.objects}",
            "--health=/health",
            "--quiet",
            "posix",
            *_metadata(folder),
            str(folder),
        ),
        environment={
            "PATH": os.environ.get("PATH", os.defpath),
            "ROOT_ACCESS_KEY": secrets.objects_access_key,
            "ROOT_SECRET_KEY": secrets.objects_secret_key,
        },
    )


def probe(ports: Ports) -> Probe:
    address = f"http://127.0.0.1:{ports.objects}"
    return Probe(NAME, address, lambda: complaint(f"{address}/health", expected=b""))


def _metadata(folder: Path) -> tuple[str, ...]:
    """Object metadata is in extended attributes, or in a separate folder if the file system has none."""
    try:
        os.setxattr(folder, "user.axion", b"1")
    except OSError:
        sidecar = folder.with_name(f"{folder.name}-metadata")
        sidecar.mkdir(exist_ok=True)
        return (f"--sidecar={sidecar}",)
    return ()
