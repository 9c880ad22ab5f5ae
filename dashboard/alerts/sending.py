"""Sends one message to one address, and keeps it from leading anywhere that messages may not go (R38).

In: an address and a text. Out: None, or in a few words why it was not taken. While Apprise works, each connection that
its thread opens is looked at after names were resolved and redirects followed: an address inside the operator's network
is refused there, whatever a name meant a moment ago. Never raises. Bounded in time by Apprise's limits on each socket.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from dashboard.alerts.channels import ChannelError, check, may_connect, open_service
from dashboard.settings import Alerts

NOT_TAKEN = "it was not taken there"
FENCED = "it leads into a network that messages may not go to"
UNUSABLE = "the address can no longer be used"

_fence = threading.local()


class FencedError(OSError):
    """A connection that was refused before it was made."""


def send(url: str, title: str, body: str, settings: Alerts) -> str | None:
    """Send a message; None when it was taken, else why not, without the address."""
    _watch_connections()
    try:
        service = open_service(check(url, settings).url)
    except ChannelError:
        return UNUSABLE
    _fence.allowed, _fence.refused = (lambda host: may_connect(host, settings)), False
    try:
        taken = bool(service.notify(body=body, title=title))
    except Exception:  # noqa: BLE001 - a hundred plug-ins: one that fails is a message that was not taken
        taken = False
    finally:
        _fence.allowed = None
    if taken:
        return None
    return FENCED if _fence.refused else NOT_TAKEN


def _look(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in {"socket.connect", "socket.sendto"}:
        return
    allowed: Callable[[str], bool] | None = getattr(_fence, "allowed", None)
    if allowed is None:
        return
    address = arguments[1]
    if not (isinstance(address, tuple) and address and allowed(str(address[0]))):
        _fence.refused = True
        raise FencedError("messages may not go there")


@cache
def _watch_connections() -> None:
    # An audit hook (PEP 578) sees what a library is about to do, whichever of its ways it takes. It cannot be removed,
    # and does nothing outside `send`.
    sys.addaudithook(_look)
