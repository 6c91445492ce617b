"""Which machines tokens are sent to: none inside the gateway's own networks, unless an operator says so.

An address is judged when it is connected to, after its name was resolved: a name that leads elsewhere a moment later
(DNS rebinding) leads nowhere.
"""

import ipaddress
import socket
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class InsideAddress(OSError):
    """The host leads into a network that nothing is sent to."""


@dataclass(frozen=True, slots=True)
class Reach:
    """`loopback`: this machine. `private`: all that is not the public internet, this machine included."""

    loopback: bool = False
    private: bool = False

    def allows(self, text: str) -> bool:
        """Of an address, as text; an IPv6 one may name a scope."""
        address = embedded(ipaddress.ip_address(text.partition("%")[0]))
        if address.is_global and not address.is_multicast:
            return True
        return self.private or (self.loopback and address.is_loopback)

    def allows_host(self, host: str) -> bool:
        """Of a host that is an address; what names lead to is known when they are resolved."""
        try:
            return self.allows(host)
        except ValueError:
            return True


def embedded(address: Address) -> Address:
    """The IPv4 address that packets to an IPv6 one end at, where it is made of one."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


class ReachResolver(AbstractResolver):
    """The system's resolver, within `reach`. Raises `InsideAddress` where any address of a host is outside of it."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._names = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._names.resolve(host, port, family)
        if not all(self._reach.allows(each["host"]) for each in found):
            raise InsideAddress(f"{host} is inside a private network")
        return found

    async def close(self) -> None:
        await self._names.close()
