import pytest

from migrations.errors import TargetInvalid
from migrations.roles import provision
from migrations.targets import Database, Targets


def test_roles_and_passwords_come_from_the_urls() -> None:
    database = Database.of_urls(
        app_url="postgresql://a:p%40ss@db.example:6432/sales",
        worker_url="postgresql://w@db.example:6432/sales",
        migrate_url="postgres://m:x@db.example:6432/sales?sslmode=require",
    )
    assert (database.name, database.app.name, database.app.password) == ("sales", "a", "p@ss")
    assert database.worker.password is None
    assert database.url.render_as_string(hide_password=False) == (
        "postgresql+psycopg://m:x@db.example:6432/sales?sslmode=require"
    )


@pytest.mark.parametrize(
    ("app", "worker", "migrate", "message"),
    [
        ("postgresql://a@h/one", "postgresql://b@h/two", "postgresql://c@h/one", "must name one database"),
        ("postgresql://a@h", "postgresql://b@h", "postgresql://c@h", "must name one database"),
        ("postgresql://a@h/one", "postgresql://b@h/one", "postgresql://a@h/one", "three different roles"),
        ("postgresql://h/one", "postgresql://b@h/one", "postgresql://c@h/one", "names no role"),
        ("not a url", "postgresql://b@h/one", "postgresql://c@h/one", "malformed"),
    ],
)
def test_contradicting_urls(app: str, worker: str, migrate: str, message: str) -> None:
    with pytest.raises(TargetInvalid, match=message):
        Database.of_urls(app_url=app, worker_url=worker, migrate_url=migrate)


def test_one_role_for_two_databases_is_refused() -> None:
    def database(name: str, app: str) -> Database:
        url = "postgresql://{}@127.0.0.1:1/" + name
        return Database.of_urls(
            app_url=url.format(app), worker_url=url.format(f"{name}_w"), migrate_url=url.format(f"{name}_m")
        )

    databases = {"axion_gen": database("axion_gen", "app"), "axion_sense": database("axion_sense", "app")}
    with pytest.raises(TargetInvalid, match="role app is used for axion_gen and axion_sense"):
        provision(Targets(databases, admin_url="postgresql://admin@127.0.0.1:1/postgres"))  # type: ignore[arg-type]
