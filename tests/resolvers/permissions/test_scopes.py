import pytest

from loaders.errors import Forbidden
from resolvers.permissions.scopes import require_scope_to_read, require_scope_to_write
from resolvers.subject import Subject

SIGNED_IN = Subject(id="someone")


def key(*scopes: str) -> Subject:
    return Subject(id="someone", scopes=frozenset(scopes))


@pytest.mark.parametrize(
    ("subject", "stores"),
    [
        (SIGNED_IN, {"axion_gen", "auradb"}),
        (key("gen:read"), {"axion_gen", "datasource:flights"}),
        (key("gen:write"), {"axion_gen"}),
        (key("sense:read"), {"axion_sense", "clickhouse"}),
        (key("aura:read", "powernode:read", "jobs:read"), {"auradb", "powernode", "axion_sense_tasks"}),
        (key("gen:read"), set()),
    ],
)
def test_read(subject: Subject, stores: set[str]) -> None:
    require_scope_to_read(subject, stores)


@pytest.mark.parametrize(
    ("subject", "stores", "missing"),
    [
        (key("sense:write"), {"axion_gen"}, "gen:read"),
        (key("gen:read"), {"axion_gen", "clickhouse"}, "sense:read"),
        (key("sense:read"), {"datasource:sense"}, "gen:read"),
        (key("gen:write"), {"axion_sense_tasks"}, "jobs:read"),
    ],
)
def test_read_refused(subject: Subject, stores: set[str], missing: str) -> None:
    with pytest.raises(Forbidden, match=missing):
        require_scope_to_read(subject, stores)


@pytest.mark.parametrize(
    ("subject", "mutation"),
    [
        (SIGNED_IN, "apiKeyCreate"),
        (key("gen:write"), "genDataSourceCreate"),
        (key("jobs:write"), "jobCancel"),
        (key("aura:write"), "auraWorkspaceUpdate"),
    ],
)
def test_write(subject: Subject, mutation: str) -> None:
    require_scope_to_write(subject, mutation)


@pytest.mark.parametrize(
    ("subject", "mutation", "message"),
    [
        (key("gen:read"), "genDataSourceCreate", "gen:write"),
        (key("gen:write"), "senseHoldCreate", "sense:write"),
        (key("gen:write"), "generateNothing", "sign in"),
        (key("gen:write", "sense:write", "aura:write", "powernode:write", "jobs:write"), "apiKeyCreate", "sign in"),
        (key("gen:write", "sense:write", "aura:write", "powernode:write", "jobs:write"), "userUpdate", "sign in"),
    ],
)
def test_write_refused(subject: Subject, mutation: str, message: str) -> None:
    with pytest.raises(Forbidden, match=message):
        require_scope_to_write(subject, mutation)
