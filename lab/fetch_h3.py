"""One page over HTTP/3: `python -m lab.fetch_h3 --ca CA [--family 4|6] NAME`, on a device.

Prints the HTTP status, or 0 when nobody answered within 8 s. The name is looked up with the system's
resolver, the certificate checked against CA.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
from typing import cast

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent
from aioquic.quic.packet_builder import QuicPacketBuilderStop

SECONDS = 8.0


class _Fetch(QuicConnectionProtocol):
    _http: H3Connection | None = None
    _status = 0

    async def get(self, name: str) -> int:
        """Fetch `/` and return the status once the body is whole."""
        self._http = H3Connection(self._quic)
        self._done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        head = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", name.encode()), (b":path", b"/")]
        self._http.send_headers(stream_id=self._quic.get_next_available_stream_id(), headers=head, end_stream=True)
        self.transmit()
        return await self._done

    def quic_event_received(self, event: QuicEvent) -> None:
        """Take the answer apart."""
        if self._http is None:
            return
        for got in self._http.handle_event(event):
            if isinstance(got, HeadersReceived):
                self._status = int(dict(got.headers)[b":status"])
            if isinstance(got, HeadersReceived | DataReceived) and got.stream_ended and not self._done.done():
                self._done.set_result(self._status)


async def _fetch(name: str, ca: str, family: int) -> int:
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name=name)
    configuration.load_verify_locations(ca)
    wanted = socket.AF_INET6 if family == 6 else socket.AF_INET
    try:
        async with asyncio.timeout(SECONDS):
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(name, 443, family=wanted, type=socket.SOCK_DGRAM)
            address = str(found[0][4][0])
            async with connect(address, 443, configuration=configuration, create_protocol=_Fetch) as connection:
                return await cast("_Fetch", connection).get(name)
    except (OSError, TimeoutError, QuicPacketBuilderStop):
        # The last one is how aioquic fails to say goodbye after a certificate it does not take.
        return 0


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ca", required=True)
    parser.add_argument("--family", type=int, default=4, choices=(4, 6))
    parser.add_argument("name")
    arguments = parser.parse_args()
    print(asyncio.run(_fetch(arguments.name, arguments.ca, arguments.family)))


if __name__ == "__main__":
    main()
