"""Which IP addresses a call may go to: only those of the public internet.

The lists follow the IANA special-purpose address registries (RFC 6890). They are written out because
`ipaddress.is_global` changes its mind between versions of Python.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_CLOSED_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT, where Alibaba's metadata service is too
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's platform, public by its number only
        "169.254.0.0/16",  # link-local: the metadata service of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments, where Oracle's metadata service is too
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_OPEN_6 = IPv6Network("2000::/3")  # all that is given out as global unicast
_CLOSED_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo and ORCHID among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which hides an IPv4 address
        "3fff::/20",  # documentation
    )
)
_EMBEDS_4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))  # mapped, and the well-known NAT64 prefix


def is_public(text: str) -> bool:
    """Tell whether an address, as a resolver gives it, belongs to the public internet."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return _is_open_4(address) if isinstance(address, IPv4Address) else _is_open_6(address)


def _is_open_4(address: IPv4Address) -> bool:
    return not any(address in network for network in _CLOSED_4)


def _is_open_6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if any(address in network for network in _EMBEDS_4):
        return _is_open_4(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _OPEN_6 and not any(address in network for network in _CLOSED_6)
