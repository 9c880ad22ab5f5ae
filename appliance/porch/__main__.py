"""Process 5: `python -m appliance.porch --config box.toml`; its listener comes as LISTEN_FDS.

Asks the keeper every few seconds what there is to say, and hands it what somebody sends. With the keeper away, or silent for longer
than `_STALE`, the page says that details are not available instead of repeating what was true once.
"""

from __future__ import annotations

import logging
import selectors
from collections.abc import Callable
from pathlib import Path

from appliance import clock, link, service
from appliance.messages import FormAnswered, FormSent, MessageError, Notice, NoticeRequest, OwnPage, OwnPageAsked
from appliance.porch.page import Page
from appliance.settings import BoxSettings
from appliance.web import Server
from wire.files import FileError

_LOOK = 0.25  # seconds: deadlines of connections and the stop signal are looked at this often
_ASK_EVERY = 5.0
_STALE = 15.0
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 2.0

log = logging.getLogger(__name__)


class Keeper:
    """The connection to the keeper; says to `show` what the notice is, None while it is not known.

    What it answers to a form goes to `answered`.
    """

    def __init__(
        self,
        path: Path,
        show: Callable[[Notice | None], None],
        selector: selectors.BaseSelector,
        *,
        answered: Callable[[FormAnswered | OwnPage], None] = lambda _answer: None,
    ) -> None:
        self._path = path
        self._show = show
        self._answered = answered
        self._selector = selector
        self._link: link.Link | None = None
        self._wait = _FIRST_WAIT
        self._due = 0.0
        self._heard = 0.0

    def tend(self, now: float) -> None:
        """Connect, ask, forget what is stale; `now` is monotonic."""
        if self._link is not None and now - self._heard > _STALE:
            self._lose(now, "it does not answer")
        if now < self._due:
            return
        try:
            if self._link is None:
                self._link = link.connect(self._path)
                self._heard = now
                self._selector.register(self._link, selectors.EVENT_READ, self.receive)
            self._link.send(NoticeRequest())
        except OSError as error:
            self._lose(now, str(error))
            return
        self._due = now + _ASK_EVERY

    def receive(self, now: float) -> None:
        """Take what the keeper says."""
        if self._link is None:
            return
        try:
            answers = self._link.receive()
        except (OSError, MessageError) as error:
            self._lose(now, str(error))
            return
        for message in answers:
            if isinstance(message, Notice):
                self._heard = now
                self._wait = _FIRST_WAIT
                self._show(message)
            elif isinstance(message, FormAnswered | OwnPage):
                self._answered(message)

    def ask(self, message: FormSent | OwnPageAsked) -> bool:
        """Hand on what somebody sent; false where that cannot be."""
        if self._link is None:
            return False
        try:
            self._link.send(message)
        except (OSError, MessageError):  # whether it is lost, the next question shows
            return False
        return True

    def close(self) -> None:
        """Hang up."""
        if self._link is not None:
            self._selector.unregister(self._link)
            self._link.close()
            self._link = None

    def _lose(self, now: float, why: str) -> None:
        if self._link is not None:
            log.info("keeper lost: %s", why)
        self.close()
        self._show(None)
        self._due = now + self._wait
        self._wait = min(self._wait * 2, _LONGEST_WAIT)


def main(settings: BoxSettings, stopping: Callable[[], bool]) -> None:
    """Serve the page until told to stop.

    Raises:
        FileError: no listener was handed over.
    """
    listeners = service.inherited_listeners()
    if len(listeners) != 1:
        raise FileError(f"{len(listeners)} listeners were handed over (LISTEN_FDS), it takes 1; use `gatehouse up`")
    with selectors.DefaultSelector() as selector, listeners[0] as listener:

        def answered(answer: FormAnswered | OwnPage) -> None:
            reply = page.answered(answer)
            if reply is not None:
                server.reply(answer.ticket, reply)

        def ask(message: FormSent | OwnPageAsked) -> bool:
            return keeper.ask(message)

        page = Page(settings.notice, ask=ask)
        server = Server(listener, page.answer, selector, sorry=page.sorry())
        keeper = Keeper(settings.keeper_socket("porch"), page.show, selector, answered=answered)
        service.notify("READY=1")
        while not stopping():
            keeper.tend(clock.monotonic())
            server.expire(clock.monotonic())
            for key, _events in selector.select(_LOOK):
                key.data(clock.monotonic())
        server.close()
        keeper.close()


if __name__ == "__main__":
    service.run("porch", main)
