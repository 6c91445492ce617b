"""Names in OpenFGA: `type:id`, whose id may be any text (reference/axion-gen-data-model.txt, "Authorization tuples").

OpenFGA forbids `:`, `#` and white space in an id, and reads `*` as everyone. Those characters (and `%`) are
percent-encoded, everything else stays: ids of this platform look as in the reference, and a subject named `*` or
`x#assignee` is only ever itself.
"""

import re
from urllib.parse import unquote

SYSTEM = "system:axion-gen"

ENDING = frozenset({"organization", "workspace"})
"""Types with a relation that may expire: by a condition of the model on the type itself, or on what its relations lead
to.
"""

_RESERVED = re.compile(r"[%:#*\s\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "surrogatepass"))


def object_name(type_: str, id_: object) -> str:
    """`dataset` and a UUID -> `dataset:0192…`. An empty id gives a name that is never granted."""
    return f"{type_}:{_RESERVED.sub(_encoded, str(id_))}"


def id_of(name: str) -> str:
    """The id as it was given to `object_name`."""
    return unquote(name.partition(":")[2], errors="surrogatepass")


def type_of(name: str) -> str:
    return name.partition(":")[0]


def user(external_auth_id: str) -> str:
    """The subject: the OIDC `sub`, which is `users.external_auth_id`."""
    return object_name("user", external_auth_id)


def datasource(name: str) -> str:
    return object_name("datasource", name)


def dataset(guid: object) -> str:
    return object_name("dataset", guid)


def table(dataset_guid: object, table_name: str) -> str:
    return object_name("table", f"{dataset_guid}/{table_name}")


def role(id_: int) -> str:
    return object_name("role", id_)


def organization(id_: int) -> str:
    return object_name("organization", id_)


def workspace(id_: object) -> str:
    return object_name("workspace", id_)


def account(id_: object) -> str:
    return object_name("account", id_)
