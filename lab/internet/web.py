"""Web servers for any name: HTTP on port 80, TLS on port 443, IPv4 and IPv6.

A request head in, a small page out. A certificate is made for each name that is asked for (the TLS
server name), by the run's own CA. Bounded: 512 certificates kept, 256 connections at a time, 64 KiB
a request head, 15 s idle.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
from collections import OrderedDict

from lab import addresses
from lab.pki import CertificateAuthority

MAX_CERTIFICATES = 512
MAX_CONNECTIONS = 256
IDLE_SECONDS = 15.0

_NAME = re.compile(r"^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$")


class Certificates:
    """A TLS context for each name, the least recently used one given up first."""

    def __init__(self, authority: CertificateAuthority) -> None:
        self._authority = authority
        self._kept: OrderedDict[str, ssl.SSLContext] = OrderedDict()
        self.given_up = 0
        """How many contexts went over the bound."""

    def unnamed(self) -> ssl.SSLContext:
        """For a client that names nobody; chooses another one when the client does."""
        sites = [address for pair in addresses.SITES for address in pair]
        context = self._context("unnamed", dns=[], numbers=sites)
        context.sni_callback = self._choose
        return context

    def _choose(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        if name is None:
            return None
        name = name.lower()
        if not _NAME.match(name):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self.named(name)
        return None

    def named(self, name: str) -> ssl.SSLContext:
        """The context for a name; its certificate is made on first use."""
        context = self._kept.pop(name, None)
        if context is None:
            context = self._context("site-" + hashlib.sha256(name.encode()).hexdigest()[:16], dns=[name], numbers=[])
        self._kept[name] = context
        if len(self._kept) > MAX_CERTIFICATES:
            self._kept.popitem(last=False)
            self.given_up += 1
        return context

    def _context(self, label: str, *, dns: list[str], numbers: list[str]) -> ssl.SSLContext:
        files = self._authority.issue(label, dns=dns, addresses=numbers)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
        context.set_alpn_protocols(["http/1.1"])
        return context


def page(host: str) -> bytes:
    """The body of every page."""
    return f"<!doctype html><title>{host}</title><p>This is {host} in the lab.</p>\n".encode()


async def serve(certificates: Certificates) -> None:
    """Answer on every address of this machine until the loop ends."""
    places = asyncio.Semaphore(MAX_CONNECTIONS)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with places:
                while await _answer_one(reader, writer):
                    pass
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()

    for address in ("0.0.0.0", "::"):  # noqa: S104 (every address of a made-up machine)
        await asyncio.start_server(converse, address, 80)
        await asyncio.start_server(converse, address, 443, ssl=certificates.unnamed())


async def _answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer one request; whether another may follow on this connection."""
    async with asyncio.timeout(IDLE_SECONDS):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *fields = head.split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}
    host = headers.get("host", "").lower()
    body = page(host if _NAME.match(host) else "a site")
    writer.write(
        b'HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nAlt-Svc: h3=":443"\r\n'
        + f"Content-Length: {len(body)}\r\n\r\n".encode()
        + (b"" if request.startswith("HEAD ") else body)
    )
    await writer.drain()
    return headers.get("connection", "").lower() != "close"
