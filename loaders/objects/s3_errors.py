"""Translates errors of pyarrow's S3 client to store errors. Messages contain no address and no key."""

from loaders.errors import (
    StoreCredentialsRejected,
    StoreError,
    StoreQueryFailed,
    StoreTimeout,
    StoreUnavailable,
)

_REJECTED = (
    "XAdminUserNotFound",  # versitygw's answer to an unknown access key, with HTTP 404
    "InvalidAccessKeyId",
    "INVALID_ACCESS_KEY_ID",
    "SIGNATURE_DOES_NOT_MATCH",
    "SignatureDoesNotMatch",
    "ACCESS_DENIED",
    "AccessDenied",
    "INVALID_CLIENT_TOKEN_ID",
    "UNRECOGNIZED_CLIENT",
    "HTTP status 403",
)
_NO_BUCKET = ("NO_SUCH_BUCKET", "NoSuchBucket")
_GONE = ("NO_SUCH_KEY", "NoSuchKey", "RESOURCE_NOT_FOUND", "Path does not exist")
_TIMED_OUT = ("REQUEST_TIMEOUT", "curlCode: 28")
_UNREACHABLE = (
    "NETWORK_CONNECTION",
    "curlCode:",
    "SERVICE_UNAVAILABLE",
    "SLOW_DOWN",
    "INTERNAL_FAILURE",
    "HTTP status 502",
    "HTTP status 503",
    "HTTP status 504",
)


def store_error(store: str, error: Exception) -> StoreError:
    """Translates an exception by the S3 client's text in it. The caller raises the result `from error`."""
    return known_store_error(store, error) or StoreQueryFailed(
        store, f"{store}: the S3 server refused the request ({type(error).__name__}). Its log says why."
    )


def known_store_error(store: str, error: Exception) -> StoreError | None:
    """None when the text does not describe a failure of S3."""
    text = str(error)
    if _any(_REJECTED, text):
        return StoreCredentialsRejected(
            store,
            f"{store}: the S3 server rejected the access key or secret key, or they may not use this bucket. "
            "Correct them.",
        )
    if _any(_NO_BUCKET, text):
        return StoreQueryFailed(store, f"{store}: the S3 server has no such bucket. Correct the `bucket` setting.")
    if _any(_TIMED_OUT, text):
        return StoreTimeout(store, f"{store}: the S3 server did not answer in time. Try again.")
    if _any(_UNREACHABLE, text):
        return StoreUnavailable(
            store, f"{store}: the S3 server cannot be reached. Check the `endpoint` setting and that it is up."
        )
    if isinstance(error, FileNotFoundError) or _any(_GONE, text):
        return StoreQueryFailed(store, f"{store}: files went away while they were read. Read again.")
    return None


def _any(markers: tuple[str, ...], text: str) -> bool:
    return any(marker in text for marker in markers)
