"""What may go wrong below the schema. Drivers' errors are wrapped here, at the edge, and nowhere else.

AxionError                      code, message, next step in the message
├── BadInput                    the caller can mend it
│   ├── InvalidId / InvalidCursor / PageTooLarge
│   ├── UnknownTable / UnknownColumn
│   ├── FilterRequired          a table is only read narrowed, and is not; nothing was sent
│   ├── MetricFanout(join)      a join would multiply what a metric measures
│   ├── SqlRefused              SQL somebody wrote does more than read, or cannot be judged; nothing was sent
│   └── Conflict                it conflicts with what is there
├── Unauthenticated / Forbidden / NotFound
├── CostExceeded                the read may not cost as much as it would
├── PermissionsUnavailable      OpenFGA gave no verdict: denied
├── EncryptionKeyMissing        a stored secret was sealed with a key that is not configured
├── SecretUnreadable            stored ciphertext was altered, or its key is another one
└── StoreError(store)
    ├── StoreUnavailable        cannot be reached
    ├── StoreTimeout            did not answer within its time-out; the query was cancelled
    ├── StoreBusy               another change held what this one needed; nothing was changed, a retry may succeed
    ├── StoreCredentialsRejected
    ├── StoreQueryFailed        the store refused or aborted the query
    ├── EnumValueUnknown        it holds a word that the enum of a field does not have
    └── Cancelled               the query was ended from outside
"""

from enum import StrEnum
from typing import ClassVar


class Code(StrEnum):
    """The closed list of `extensions.code`. A new code is an API change: add it here and to the docs."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    INVALID_ID = "INVALID_ID"
    INVALID_CURSOR = "INVALID_CURSOR"
    PAGE_TOO_LARGE = "PAGE_TOO_LARGE"
    UNKNOWN_TABLE = "UNKNOWN_TABLE"
    UNKNOWN_COLUMN = "UNKNOWN_COLUMN"
    FILTER_REQUIRED = "FILTER_REQUIRED"
    METRIC_FANOUT = "METRIC_FANOUT"
    SQL_REFUSED = "SQL_REFUSED"
    CONFLICT = "CONFLICT"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    REQUEST_INVALID = "REQUEST_INVALID"
    REQUEST_TOO_LARGE = "REQUEST_TOO_LARGE"
    CSRF_REFUSED = "CSRF_REFUSED"
    DOCUMENT_TOO_COMPLEX = "DOCUMENT_TOO_COMPLEX"
    DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    COST_EXCEEDED = "COST_EXCEEDED"
    RATE_LIMITED = "RATE_LIMITED"
    PERMISSIONS_UNAVAILABLE = "PERMISSIONS_UNAVAILABLE"
    ENCRYPTION_KEY_MISSING = "ENCRYPTION_KEY_MISSING"
    SECRET_UNREADABLE = "SECRET_UNREADABLE"  # noqa: S105 - the name of a code, not a secret
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    STORE_TIMEOUT = "STORE_TIMEOUT"
    STORE_BUSY = "STORE_BUSY"
    STORE_CREDENTIALS_REJECTED = "STORE_CREDENTIALS_REJECTED"
    STORE_QUERY_FAILED = "STORE_QUERY_FAILED"
    ENUM_VALUE_UNKNOWN = "ENUM_VALUE_UNKNOWN"
    CANCELLED = "CANCELLED"
    INTERNAL_ERROR = "INTERNAL_ERROR"


DENIALS = frozenset({Code.UNAUTHENTICATED, Code.FORBIDDEN, Code.PERMISSIONS_UNAVAILABLE})
"""What says that somebody may not: such an answer leaves an entry in the audit log."""


class AxionError(Exception):
    """Base of every error that may reach a client. `str(error)` is safe to show: no secrets, no SQL, no addresses."""

    code: ClassVar[Code] = Code.INTERNAL_ERROR

    @property
    def extensions(self) -> dict[str, str]:
        """What goes into the GraphQL error's `extensions`."""
        return {"code": self.code.value}


class BadInput(AxionError):
    """`field` is the input's field it is about, as the API calls it, where it is about one."""

    code = Code.BAD_USER_INPUT

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class InvalidId(BadInput):
    """`given` is the id as it was sent, where it is at hand: by it the field of an input is found."""

    code = Code.INVALID_ID

    def __init__(self, message: str, *, field: str | None = None, given: str | None = None) -> None:
        super().__init__(message, field=field)
        self.given = given


class InvalidCursor(BadInput):
    code = Code.INVALID_CURSOR


class PageTooLarge(BadInput):
    code = Code.PAGE_TOO_LARGE


class UnknownTable(BadInput):
    code = Code.UNKNOWN_TABLE


class UnknownColumn(BadInput):
    code = Code.UNKNOWN_COLUMN


class FilterRequired(BadInput):
    code = Code.FILTER_REQUIRED


class MetricFanout(BadInput):
    """`join` is its name in the metric."""

    code = Code.METRIC_FANOUT

    def __init__(self, message: str, *, join: str) -> None:
        super().__init__(message)
        self.join = join

    @property
    def extensions(self) -> dict[str, str]:
        return {"code": self.code.value, "join": self.join}


class SqlRefused(BadInput):
    code = Code.SQL_REFUSED


class Conflict(BadInput):
    code = Code.CONFLICT


class Unauthenticated(AxionError):
    code = Code.UNAUTHENTICATED


class Forbidden(AxionError):
    code = Code.FORBIDDEN


class NotFound(AxionError):
    code = Code.NOT_FOUND


class CostExceeded(AxionError):
    code = Code.COST_EXCEEDED


class PermissionsUnavailable(AxionError):
    code = Code.PERMISSIONS_UNAVAILABLE

    @property
    def extensions(self) -> dict[str, str]:
        return {"code": self.code.value, "store": "openfga"}


class EncryptionKeyMissing(AxionError):
    code = Code.ENCRYPTION_KEY_MISSING


class SecretUnreadable(AxionError):
    code = Code.SECRET_UNREADABLE


class StoreError(AxionError):
    """A failure of one store. `store` is its public name, such as `axion_gen`, `clickhouse` or `datasource:{id}`."""

    code = Code.STORE_QUERY_FAILED

    def __init__(self, store: str, message: str) -> None:
        super().__init__(message)
        self.store = store

    @property
    def extensions(self) -> dict[str, str]:
        return {"code": self.code.value, "store": self.store}


class StoreUnavailable(StoreError):
    code = Code.STORE_UNAVAILABLE


class StoreTimeout(StoreError):
    code = Code.STORE_TIMEOUT


class StoreBusy(StoreError):
    code = Code.STORE_BUSY


class StoreCredentialsRejected(StoreError):
    code = Code.STORE_CREDENTIALS_REJECTED


class StoreQueryFailed(StoreError):
    code = Code.STORE_QUERY_FAILED


class EnumValueUnknown(StoreError):
    code = Code.ENUM_VALUE_UNKNOWN


class Cancelled(StoreError):
    code = Code.CANCELLED
