"""An HTTP/3 server on UDP port 443 of every web server address.

A request in, the same small page as over TCP out. aioquic shows one certificate whatever name is asked
for, so it lists every name of the zone files and of the personas' habits. Bounded by aioquic's own limits of connections' streams
and data; the lab's few clients are its only peers.
"""

from __future__ import annotations

from collections.abc import Sequence

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve as serve_quic
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated, QuicEvent

from lab import addresses
from lab.internet.web import page
from lab.pki import CertificateAuthority


class _Site(QuicConnectionProtocol):
    _http: H3Connection | None = None

    def quic_event_received(self, event: QuicEvent) -> None:
        """Answer each request as soon as its headers are here."""
        if isinstance(event, ProtocolNegotiated):
            self._http = H3Connection(self._quic)
        if self._http is None:
            return
        for got in self._http.handle_event(event):
            if isinstance(got, HeadersReceived):
                self._answer(got)
        self.transmit()

    def _answer(self, request: HeadersReceived) -> None:
        fields = dict(request.headers)
        body = page(fields.get(b":authority", b"a site").decode("latin-1"))
        headers = [
            (b":status", b"200"),
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
        ]
        if self._http is not None:
            self._http.send_headers(stream_id=request.stream_id, headers=headers)
            self._http.send_data(stream_id=request.stream_id, data=body, end_stream=True)


async def serve(authority: CertificateAuthority, names: Sequence[str]) -> None:
    """Answer on every web server address until the loop ends."""
    sites = [address for pair in addresses.SITES for address in pair]
    files = authority.issue("quic", dns=names, addresses=sites)
    configuration = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    configuration.load_cert_chain(files.certificate, files.key)
    for address in sites:
        await serve_quic(address, 443, configuration=configuration, create_protocol=_Site)
