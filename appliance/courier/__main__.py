"""Process 3 of the box: carries signed and sealed messages between the keeper and the broker.

It holds the box's certificate and no key that opens or signs a message.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance import clock, service
from appliance.courier.loop import Courier
from appliance.courier.renewal import newest
from appliance.settings import BoxSettings
from wire.tls import client_context


def main(settings: BoxSettings, stopping: Callable[[], bool]) -> None:
    """Run until told to stop.

    Raises:
        FileError: a certificate file cannot be used.
    """
    broker = settings.broker
    pair = newest(broker, settings.state_dir / "courier", clock.now())
    context = client_context(ca=broker.ca, certificate=pair.certificate, key=pair.key)
    courier = Courier(settings, context, clock.monotonic)
    service.notify("READY=1")
    courier.run(stopping)


if __name__ == "__main__":
    service.run("courier", main)
