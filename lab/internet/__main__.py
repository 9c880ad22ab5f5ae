"""The process that is the lab's internet: `python -m lab.internet FOLDER`, on the internet machine.

Prints `ready` once everything answers; ends on SIGTERM. The CA's certificate is FOLDER/ca.pem.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path

from lab import addresses, personas
from lab.internet import names, quic, web
from lab.pki import CertificateAuthority


async def _run(folder: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    authority = CertificateAuthority(folder)
    everything = names.Names()
    for address in (*addresses.RESOLVER, *addresses.OTHER_RESOLVER):
        await names.serve(everything, address)
    await web.serve(web.Certificates(authority))
    habits = {name for persona in personas.names() for name in personas.load(persona).habits}
    await quic.serve(authority, sorted({*everything.known(), *habits}))
    sinks = [_sink(address, port) for address in addresses.SINK for port in addresses.SINK_PORTS]
    print("ready", flush=True)
    await stop.wait()
    for sink in sinks:
        sink.close()


def _sink(address: str, port: int) -> socket.socket:
    """A socket that nobody reads: the kernel throws away what its small buffer does not hold."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sink = socket.socket(family, socket.SOCK_DGRAM)
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sink.bind((address, port))
    return sink


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1])))
