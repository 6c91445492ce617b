"""The two BigQuery clients of a data source, and its credentials: a service account that signs its own tokens.

Nothing ambient is used: no default credentials of the machine, no metadata server, and no token endpoint, whose address
would come from the key. Tokens are signed in this process and valid for BigQuery only, so the key never travels.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1.services.big_query_read import BigQueryReadClient
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport
from google.oauth2 import service_account

from loaders.warehouses.settings import BigQueryCredentials, BigQueryOptions

_SCOPES = ("https://www.googleapis.com/auth/bigquery",)
_MESSAGE_BYTES = 256 << 20
_BOUNDED = [("grpc.max_receive_message_length", _MESSAGE_BYTES)]
"""Without this option Google's client accepts messages of any length."""


@dataclass(frozen=True, slots=True)
class Clients:
    """Safe for use by several threads."""

    jobs: bigquery.Client
    storage: BigQueryReadClient

    def close(self) -> None:
        self.jobs.close()
        self.storage.transport.close()


def open_clients(options: BigQueryOptions, credentials: BigQueryCredentials) -> Clients:
    """Opens no connection yet. Jobs are requested from the endpoint alone: a redirect is a failure."""
    signed = _signed(credentials)
    session = AuthorizedSession(signed)
    session.max_redirects = 0
    jobs = bigquery.Client(
        project=options.project,
        credentials=signed,
        location=options.location,
        client_options={"api_endpoint": options.endpoint} if options.endpoint else None,
        _http=session,
    )
    return Clients(jobs, BigQueryReadClient(transport=_transport(options, signed)))


class _SelfSigned(service_account.Credentials):
    """Signs without a request: google-auth would look up the account's regions at Google's IAM, whatever the endpoint
    is.
    """

    def _is_regional_access_boundary_lookup_required(self) -> bool:
        return False


def _signed(credentials: BigQueryCredentials) -> Credentials:
    key = json.loads(credentials.service_account.get_secret_value())
    made: Credentials = _SelfSigned.from_service_account_info(  # type: ignore[no-untyped-call]  # of google-auth
        key, scopes=_SCOPES, always_use_jwt_access=True
    )
    return made


def _transport(options: BigQueryOptions, credentials: Credentials) -> BigQueryReadGrpcTransport:
    if options.storage_endpoint is None:
        return BigQueryReadGrpcTransport(credentials=credentials, channel=_bounded)
    address = urlsplit(options.storage_endpoint)
    if address.scheme == "https":
        return BigQueryReadGrpcTransport(host=address.netloc, credentials=credentials, channel=_bounded)
    return BigQueryReadGrpcTransport(channel=grpc.insecure_channel(address.netloc, options=_BOUNDED))


def _bounded(host: str, **given: Any) -> grpc.Channel:
    """Creates the channel as the transport itself would, with a bound on the length of messages."""
    return BigQueryReadGrpcTransport.create_channel(host, **{**given, "options": _BOUNDED})
