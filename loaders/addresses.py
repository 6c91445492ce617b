"""Which machines others may have the gateway connect to, as an operator bounds it.

An address is judged when it is connected to, after its name was resolved: a name that leads elsewhere a moment later
(DNS rebinding) leads nowhere.
"""

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from loaders.errors import StoreUnavailable

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_THIS_MACHINE: Mapping[int, Address] = {4: ipaddress.IPv4Address("127.0.0.1"), 6: ipaddress.IPv6Address("::1")}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class InsideAddress(OSError):
    """The host leads into a network that must not be connected to."""


class Bounds(Protocol):
    def allows(self, text: str) -> bool:
        """Whether an address, given as text, may be connected to. An IPv6 address may have a scope."""
        ...


@dataclass(frozen=True, slots=True)
class Networks:
    """Allows all addresses except those `denied`, of which those `allowed` are allowed after all."""

    denied: tuple[Network, ...] = ()
    allowed: tuple[Network, ...] = ()

    def allows(self, text: str) -> bool:
        address = _address(text)
        return not _is_in(address, self.denied) or _is_in(address, self.allowed)


EVERYWHERE = Networks()


@dataclass(frozen=True, slots=True)
class Reach:
    """Allows no address of private networks, except this machine with `loopback`, and all of them with `private`."""

    loopback: bool = False
    private: bool = False

    def allows(self, text: str) -> bool:
        address = _address(text)
        if address.is_global and not address.is_multicast:
            return True
        return self.private or (self.loopback and address.is_loopback)

    def allows_host(self, host: str) -> bool:
        """Whether a host that is an address may be connected to. True for names, whose addresses are checked once they
        are resolved.
        """
        try:
            return self.allows(host)
        except ValueError:
            return True


def _address(text: str) -> Address:
    """What a connection to it leads to: one to the unspecified address (`0.0.0.0`, `::`) leads to this machine."""
    address = embedded(ipaddress.ip_address(text.partition("%")[0]))
    return _THIS_MACHINE[address.version] if address.is_unspecified else address


def _is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def embedded(address: Address) -> Address:
    """The IPv4 address embedded in an IPv6 address, to which its packets are delivered."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


class ReachResolver(AbstractResolver):
    """The system's resolver, limited to `reach`. Raises `InsideAddress` if any address of a host is outside of it, and
    `OSError` for a host that cannot be resolved or is no name at all (`api..example`).
    """

    def __init__(self, reach: Bounds) -> None:
        self._reach = reach
        self._names = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            found = await self._names.resolve(host, port, family)
        except UnicodeError as error:
            raise OSError(f"{host} is no name of a host") from error
        if not all(self._reach.allows(each["host"]) for each in found):
            raise InsideAddress(f"{host} is inside a private network")
        return found

    async def close(self) -> None:
        await self._names.close()


def resolved(host: str, port: int, bounds: Bounds) -> list[str]:
    """The addresses of a host, each of them within bounds. Blocks.

    Raises `InsideAddress` where any is not, and `socket.gaierror` for a name that leads nowhere.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    if not all(bounds.allows(address) for address in addresses):
        raise InsideAddress(f"{host} is inside a network that is not connected to")
    return addresses


def answering(host: str, port: int, bounds: Bounds, *, timeout_s: float) -> str:
    """The first of the `resolved` addresses that accepts connections, or the last one. Blocks, at most this long for
    each.
    """
    addresses = resolved(host, port, bounds)
    for address in addresses[:-1]:
        try:
            socket.create_connection((address, port), timeout_s).close()
        except OSError:
            continue
        return address
    return addresses[-1]


def socket_within(bounds: Bounds, place: AddrInfoType) -> socket.socket:
    """A socket for the address that is about to be connected to, whatever led there: a name, or a redirect.

    `InsideAddress` where it is not within bounds.
    """
    family, type_, protocol, _, address = place
    if not bounds.allows(str(address[0])):
        raise InsideAddress("the address is inside a network that is not connected to")
    return socket.socket(family, type_, protocol)


def leads_inside(error: BaseException) -> bool:
    """Whether that is why it was raised: somewhere among its causes is an `InsideAddress`."""
    cause: BaseException | None = error
    seen: set[int] = set()  # a cause may be one of its own
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, InsideAddress):
            return True
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return False


def denied(store: str) -> StoreUnavailable:
    """The data source whose host is an `InsideAddress`."""
    return StoreUnavailable(
        store,
        f"{store}: its host leads into a network that data sources are not connected to. Correct it; where that is "
        "meant, ask an operator, who sets AXION_DATA_SOURCES__ALLOWED_NETWORKS.",
    )
