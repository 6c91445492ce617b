"""Which addresses are within bounds, whatever they are written as, and what a name may lead to."""

import socket
from ipaddress import IPv4Network, IPv6Network

import pytest

from loaders.addresses import EVERYWHERE, InsideAddress, Networks, answering, leads_inside, resolved

COMPANY = IPv4Network("10.0.0.0/8")
WAREHOUSES = IPv4Network("10.1.2.0/24")
LINKS = (IPv4Network("169.254.0.0/16"), IPv6Network("fe80::/10"))
LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1"))
NONE = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))


@pytest.mark.parametrize(
    ("networks", "let_in", "kept_out"),
    [
        (EVERYWHERE, ["169.254.169.254", "8.8.8.8", "::1"], []),
        (
            Networks(denied=LINKS),
            ["127.0.0.1", "10.1.2.3", "2606:4700::1111"],
            ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "fe80::1%eth0"],
        ),
        (Networks(denied=(COMPANY,), allowed=(WAREHOUSES,)), ["10.1.2.3", "11.0.0.1"], ["10.1.3.1", "::ffff:10.0.0.1"]),
        (Networks(denied=LOOPBACK), ["10.1.2.3"], ["127.0.0.1", "::1", "0.0.0.0", "::", "::ffff:0.0.0.0"]),
        (Networks(denied=NONE, allowed=(WAREHOUSES,)), ["10.1.2.3"], ["8.8.8.8", "127.0.0.1", "2606:4700::1111"]),
    ],
)
def test_networks(networks: Networks, let_in: list[str], kept_out: list[str]) -> None:
    assert [address for address in let_in + kept_out if networks.allows(address)] == let_in


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "127.1"])
def test_a_host_is_judged_by_what_it_leads_to(host: str) -> None:
    with pytest.raises(InsideAddress):
        resolved(host, 1, Networks(denied=LOOPBACK))
    assert "127.0.0.1" in resolved(host, 1, EVERYWHERE)


def test_of_several_addresses_the_one_that_answers_is_taken() -> None:
    """`localhost` leads to both, or to the one there is; the server has the last."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert answering("localhost", server.getsockname()[1], EVERYWHERE, timeout_s=5) == "127.0.0.1"


def test_a_cause_of_itself_leads_nowhere() -> None:
    itself, between, inside = OSError("a"), OSError("b"), InsideAddress("c")
    itself.__cause__ = itself
    assert not leads_inside(itself)
    between.__cause__ = inside
    assert leads_inside(between)
