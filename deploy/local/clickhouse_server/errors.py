"""Errors as ClickHouse's HTTP interface reports them."""

import re
from typing import Self

_ENGINE_MESSAGE = re.compile(
    r"Code: (?P<code>\d+)\. DB::Exception: (?P<message>.*?)"
    r"(?: \((?P<name>[A-Z][A-Z0-9_]+)\))?(?: \(version [^()]*\))?\s*$",
    re.DOTALL,
)
_DATA_FILE = re.compile(r":? ?\(in file/uri [^()]*\)")

_STATUS = {
    400: (6, 25, 26, 27, 36, 38, 41, 53, 62, 72, 117, 130, 167, 168, 173, 321, 376, 377, 441, 456, 457),
    401: (194,),
    403: (192, 193, 512, 516),
    404: (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 336, 511),
    408: (159,),
    411: (381,),
    413: (223,),
    501: (48,),
    503: (202, 209, 439),
}
_STATUS_BY_CODE = {code: status for status, codes in _STATUS.items() for code in codes}


class ServerError(Exception):
    """A refused or failed statement: ClickHouse's error code, its name and a message."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.name = name

    @property
    def status(self) -> int:
        """The HTTP status ClickHouse gives for this code (`exceptionCodeToHTTPStatus`)."""
        return _STATUS_BY_CODE.get(self.code, 500)

    def text(self, version: str) -> str:
        return f"Code: {self.code}. DB::Exception: {self} ({self.name}) (version {version} (embedded))\n"

    @classmethod
    def from_engine(cls, error: Exception) -> Self:
        """chDB reports everything as text; what carries no ClickHouse code is a STD_EXCEPTION (1001).

        What is wrong with the data of an INSERT it reports within another error, with the file that the data is in.
        """
        match = _ENGINE_MESSAGE.search(str(error))
        if match is None:
            return cls(1001, "STD_EXCEPTION", f"std::exception. {error}")
        inner = _ENGINE_MESSAGE.match(match["message"].rstrip("."))
        message = _DATA_FILE.sub("", (inner or match)["message"])
        return cls(int(match["code"]), match["name"] or "UNKNOWN_EXCEPTION", message)


def bad_arguments(message: str) -> ServerError:
    return ServerError(36, "BAD_ARGUMENTS", message)


def not_implemented(message: str) -> ServerError:
    return ServerError(48, "NOT_IMPLEMENTED", message)


def authentication_failed(user: str) -> ServerError:
    """One message for a wrong name and a wrong password, as ClickHouse has it."""
    return ServerError(
        516,
        "AUTHENTICATION_FAILED",
        f"{user}: Authentication failed: password is incorrect, or there is no user with such name.",
    )
