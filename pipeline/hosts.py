"""Which machines are talked to: public ones, and those that the environment names.

A catalogue or an image may lead anywhere, also to services that trust whoever is inside the network: a
cloud's metadata (169.254.169.254), a router, a database on loopback (CWE-918).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from urllib.parse import urlsplit

from pipeline.errors import NotAllowedError
from pipeline.trust import trust, variable

_REMEMBERED_S = 60.0  # for so long a name is not looked up again
_AMBIGUOUS = re.compile(r"[\\\x00-\x20\x7f]")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_known: dict[tuple[str, tuple[str, ...]], float] = {}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_host(url: str) -> None:
    """Raises NotAllowedError where an address of the URL's host is neither public nor allowed.

    A name that has no address here passes: it may have one for a proxy, and else fails by itself.
    """
    host = _host(url)
    key = host, trust().allow_hosts
    if time.monotonic() - _known.get(key, -_REMEMBERED_S) < _REMEMBERED_S:
        return
    for address in _addresses(host):
        check_address(host, address)
    _known[key] = time.monotonic()


def _host(url: str) -> str:
    """The host, of a URL that all programs understand alike. Raises NotAllowedError for another."""
    try:
        parts = urlsplit(url)
        if parts.netloc.count("@") < 2 and not _AMBIGUOUS.search(parts.netloc) and url.isprintable():
            return parts.hostname or ""
    except ValueError:
        pass
    raise NotAllowedError(
        f"{url!r}: not an address that is clear; check it, and write it without \\ and spaces"
    )


def check_address(host: str, address: str) -> None:
    """Raises NotAllowedError where `host` is reached at an address that is neither public nor allowed."""
    if is_public(address) or _is_allowed(host, address):
        return
    where = host if host == address else f"{host} ({address})"
    raise NotAllowedError(
        f"{where} is not a public address, and is not talked to; "
        f"to allow it set {variable('allow_hosts')}={host}"
    )


def is_public(address: str) -> bool:
    """Whether an address is reached over the internet: not loopback, link-local, private or reserved."""
    found = _unwrapped(ipaddress.ip_address(address.split("%", maxsplit=1)[0]))
    return found.is_global and not found.is_multicast


def _unwrapped(address: Address) -> Address:
    """The IPv4 address within an IPv6 one, where that is what is reached."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_allowed(host: str, address: str) -> bool:
    found = _unwrapped(ipaddress.ip_address(address.split("%", maxsplit=1)[0]))
    for entry in trust().allow_hosts:
        if entry.lower() == host.lower():
            return True
        try:
            if found in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:  # a name
            continue
    return False


def _addresses(host: str) -> list[str]:
    try:
        return sorted({str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError):
        return []
