"""Who sends a request, for the limits of each sender: the network that one customer has."""

import ipaddress

from tornado.httputil import HTTPServerRequest

HALF = 64  # bits of an IPv6 address that a customer chooses as it likes


def sender_of(request: HTTPServerRequest) -> str:
    """The sender of a request."""
    return network_of(str(request.remote_ip))


def network_of(address: str) -> str:
    """An IPv4 address, or the half of an IPv6 address that a provider has given."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_address(int(found) >> HALF << HALF))
