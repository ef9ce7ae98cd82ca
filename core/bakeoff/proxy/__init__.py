"""A TCP proxy between workers and their servers, in a process of its own, for faults of the network."""

from bakeoff.proxy.control import Proxy, ProxyError, through
from bakeoff.proxy.server import ProxyServer, start_proxy

__all__ = ["Proxy", "ProxyError", "ProxyServer", "start_proxy", "through"]
