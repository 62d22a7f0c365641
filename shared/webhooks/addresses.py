"""Which network addresses a message may go to: those of the internet, and what an operator has allowed. Pure.

https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from shared.model.web_address import HTTPS_PORT, AllowedHost

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.model.web_address import WebAddress

    type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PLATFORM: Final = ipaddress.ip_address("168.63.129.16")
"""Azure's own address on every virtual network, which looks like one of the internet.

https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
"""
GLOBAL_UNICAST: Final = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is the internet; NAT64, mapped and translated addresses lie outside …"""
TUNNELS: Final = (
    ipaddress.ip_network("2001::/23"),
    ipaddress.ip_network("2002::/16"),
    ipaddress.ip_network("3fff::/20"),
)
"""… and Teredo, 6to4 and what is for documents inside of it."""
OWN_NETWORKS: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
        *("::1", "fc00::/7"),
    )
)
"""What an allowed host may have as well: networks of one's own, and this machine."""


def may_be_asked(address: WebAddress, allowed: Iterable[AllowedHost]) -> bool:
    """Whether a message may go to the host's port, if its network address is one for it."""
    return address.port == HTTPS_PORT or is_allowed(address, allowed)


def is_allowed(address: WebAddress, allowed: Iterable[AllowedHost]) -> bool:
    """Whether an operator has allowed the host and port."""
    return AllowedHost(host=address.host, port=address.port) in allowed


def may_connect(text: str, *, is_allowed_host: bool) -> bool:
    """Whether a message may go to a network address, as the resolver gives it."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return _is_of_the_internet(address) or (is_allowed_host and any(address in each for each in OWN_NETWORKS))


def _is_of_the_internet(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not (address.is_multicast or address.is_reserved) and address != PLATFORM
    return (
        address in GLOBAL_UNICAST
        and address.is_global
        and address.scope_id is None
        and not any(address in tunnel for tunnel in TUNNELS)
    )
