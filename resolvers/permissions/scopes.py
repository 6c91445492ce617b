"""Which operations the scopes of an API key allow, in addition to what its user may do. A scope is `{domain}:read` or
`{domain}:write`.
"""

from collections.abc import Collection
from typing import Final

from loaders.errors import Forbidden
from resolvers.subject import Subject

DOMAINS: Final = ("gen", "sense", "aura", "powernode", "jobs")
SCOPES: Final = tuple(f"{domain}:{access}" for domain in DOMAINS for access in ("read", "write"))
"""`write` includes `read`."""

_DOMAIN_OF_STORE = {
    "axion_gen": "gen",
    "axion_sense": "sense",
    "clickhouse": "sense",
    "auradb": "aura",
    "powernode": "powernode",
    "axion_sense_tasks": "jobs",
}
_MUTATIONS = {"gen": "gen", "sense": "sense", "aura": "aura", "powernode": "powernode", "job": "jobs"}
"""The domain of a mutation by the first word of its name (flat names, noun first)."""
_FOR_PEOPLE = (
    "genRole",
    "genUser",
    "genEncryptionKey",
    "genExternalApiClientSecret",
    "genExternalApiAuthorize",
    "genTableProfileSchedule",
)
"""Mutations whose effect would outlive a key that leaked: they are for those who signed in."""


def require_scope_to_read(subject: Subject, stores: Collection[str]) -> None:
    """Raises `Forbidden` if the subject is an API key without the scope for one of the stores' domains."""
    if subject.scopes is None:
        return
    for domain in dict.fromkeys(map(_domain_of, stores)):
        if not subject.scopes & {f"{domain}:read", f"{domain}:write"}:
            raise Forbidden(f"This API key may not be used to read {domain}: it lacks the scope `{domain}:read`.")


def require_scope_to_write(subject: Subject, mutation: str) -> None:
    """Raises `Forbidden` if the subject is an API key without the scope for the mutation.

    Mutations outside of the domains (API keys themselves, accounts) have no scope and are refused to all keys: a key
    that leaked must not be able to make others.
    """
    if subject.scopes is None:
        return
    domain = (
        None
        if mutation.startswith(_FOR_PEOPLE)
        else next((domain for word, domain in _MUTATIONS.items() if _begins_with(mutation, word)), None)
    )
    if domain is None:
        raise Forbidden("This cannot be done with an API key: sign in.")
    if f"{domain}:write" not in subject.scopes:
        raise Forbidden(f"This API key may not be used to change {domain}: it lacks the scope `{domain}:write`.")


def _domain_of(store: str) -> str:
    return "gen" if store.startswith("datasource:") else _DOMAIN_OF_STORE[store]


def _begins_with(mutation: str, word: str) -> bool:
    return mutation.startswith(word) and mutation[len(word) : len(word) + 1].isupper()
