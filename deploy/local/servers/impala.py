"""Spark's Thrift server in place of Impala: the same protocol, with user and password by SASL PLAIN, but another SQL
dialect.
"""

import os
import shutil
import socket
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.part import Part, Probe
from deploy.local.paths import StatePaths
from deploy.local.ports import Ports
from deploy.local.provision.spark import NO_JAVA
from deploy.local.secrets import Secrets

NAME = "impala"
USER = "axion"
_SERVER = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
_OPENED = (
    *("java.base/java.lang", "java.base/java.lang.invoke", "java.base/java.lang.reflect", "java.base/java.io"),
    *("java.base/java.net", "java.base/java.nio", "java.base/java.util", "java.base/java.util.concurrent"),
    *("java.base/java.util.concurrent.atomic", "java.base/jdk.internal.ref", "java.base/sun.nio.ch"),
    *("java.base/sun.nio.cs", "java.base/sun.security.action", "java.base/sun.util.calendar"),
    "java.security.jgss/sun.security.krb5",
)
"""The modules that Spark's own launcher opens."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int
    user: str
    password: str = field(repr=False)


def address(ports: Ports, secrets: Secrets) -> Address:
    return Address("127.0.0.1", ports.impala, USER, secrets.impala_password)


def part(spark: Path, paths: StatePaths, ports: Ports, secrets: Secrets) -> Part:
    """`spark` is the artifact."""
    java = shutil.which("java")
    if java is None:
        raise StackError(NO_JAVA)
    folder = paths.data / NAME
    folder.mkdir(exist_ok=True)
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.parquet.columnarReaderBatchSize": "64",  # a cancelled scan ends between two batches
        "spark.sql.parquet.filterPushdown": "false",  # it treats NaN as no value, unlike Spark's own comparisons
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.thriftServer.incrementalCollect": "true",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": "2",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder / 'metastore'};create=true",
    }
    hive = {
        "hive.server2.thrift.bind.host": "127.0.0.1",
        "hive.server2.thrift.port": str(ports.impala),
        "hive.server2.authentication": "CUSTOM",
        "hive.server2.custom.authentication.class": "axion.OneUser",
    }
    return Part(
        ready_seconds=180.0,
        probe=Probe(NAME, f"127.0.0.1:{ports.impala}", lambda: _complaint(ports.impala)),
        command=(
            *(java, "-Xmx1g", "-XX:+IgnoreUnrecognizedVMOptions", "-Duser.timezone=UTC", "-Dfile.encoding=UTF-8"),
            *("--add-modules=jdk.incubator.vector", *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED)),
            f"-Dderby.system.home={folder}",
            f"-Djava.io.tmpdir={folder}",
            *("-cp", f"{spark / 'classes'}:{spark / 'site' / 'pyspark' / 'jars'}/*"),
            *("org.apache.spark.deploy.SparkSubmit", "--master", "local[2]", "--class", _SERVER),
            *(word for name, value in settings.items() for word in ("--conf", f"{name}={value}")),
            "spark-internal",
            *(word for name, value in hive.items() for word in ("--hiveconf", f"{name}={value}")),
        ),
        environment={
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(folder / "local"),
            "AXION_IMPALA_USER": USER,
            "AXION_IMPALA_PASSWORD": secrets.impala_password,
        },
    )


def _complaint(port: int) -> str | None:
    """Spark listens only once it is ready."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError as error:
        return str(error)
    return None
