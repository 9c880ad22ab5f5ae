"""What the holder of the keys decides: looks and answers in, what the page shows and what is put in place out.

Sans-IO but for the box's own files: the looks, `gatehouse apply --new` and the start of the watching processes are handed
in. An answer that does not count changes nothing but a sentence on the page. One that says another way to the internet
waits until that was tried, as one that was entered is: an enrolled box has no page on which a wrong password could be put
right. Bounded: one request at a time, made anew every `REQUEST_SECONDS`; one answer waits, for
`TRIAL_SECONDS` where the line says nothing; a look at the Wi-Fis around at most every `SCAN_SECONDS`, because it takes the
radio from its devices.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from cryptography import x509
from pydantic import ValidationError

from appliance.fitting import answer as answers
from appliance.fitting import card as cards
from appliance.fitting import first, line, taking, uplink
from appliance.fitting.channel import Brought, Line, Reported, Show
from appliance.fitting.keys import Keys
from appliance.fitting.looks import Way
from appliance.fitting.places import Places
from appliance.fitting.uplink import Desk
from appliance.fresh import Fresh, Problem, Seen, Stage
from firmware import layout
from firmware.household import Household, load
from wire.claim import SignedCard
from wire.enrolment import EnrolmentError, OperatorCard, Uplink
from wire.files import FileError

LOOK_SECONDS = 5.0
REQUEST_SECONDS = 300.0
SCAN_SECONDS = 600.0
FIRST_SCAN_SECONDS = 30.0
MOVE_SECONDS = 120.0
NAMES_STALE = 60.0
TRIAL_SECONDS = 45.0
"""For a line to log in, beside what `gatehouse apply` waits."""
TRYING = "The box tries this line. That takes up to two minutes. Then look again."
WENT_BACK = "That did not work, and the box went back to the way that it had before."
WORKS = "The internet comes this way already, and that works: nothing was changed."
REFUSED = (
    "The provider refused the user name or the password in the answer that you brought. Enter them below, under “How the "
    "internet comes”: the box then goes on by itself. If you bring the answer again, the box takes it as it is."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What the holder does to the machine."""

    look: Callable[[Household, float, float], tuple[Seen, Way]]
    """Household, now, the earliest that now can be."""
    scan: Callable[[Household, Way], bool | None]
    attempt: Callable[[Household], object]
    """Try this household; the household file says afterwards what is in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What this box is, as its first boot left it."""

    keys: Keys
    operator: OperatorCard
    card: SignedCard
    sticker: cards.Sticker
    csr: str
    board: str | None = None
    """What releases of the software are made for here; None: the image does not say."""


class Holder:
    """One box on its way to being enrolled. Times are `now` (Unix seconds) and `monotonic`."""

    def __init__(self, places: Places, own: Own, hands: Hands, *, monotonic: float) -> None:
        self._places = places
        self._own = own
        self._hands = hands
        self._house = load(places.at(layout.HOUSEHOLD_FILE))
        self._seen = Seen()
        self._way = Way()
        self._desk: Desk | None = None
        self._says = ""
        self._names: bool | None = None
        self._names_at = monotonic
        self._wifi: bool | None = None
        self._entered: Uplink | None = None
        self._ripe = False
        """The page says already that it is tried."""
        self._held: Brought | None = None
        self._held_until: float | None = None
        self._request = ""
        self._told = ""
        self._look_due = self._request_due = monotonic
        self._scan_due = monotonic + FIRST_SCAN_SECONDS
        self._move_due = monotonic
        self.enrolled = places.enrolled
        certificate = x509.load_pem_x509_certificate(own.operator.ca.encode())
        self._earliest = certificate.not_valid_before_utc.timestamp()

    # --- in ---------------------------------------------------------------------------------

    def tick(self, now: float, monotonic: float) -> None:
        """Do what is due."""
        if self.enrolled:
            return
        if self._entered is not None and self._ripe:
            self._try_line(self._entered)
            self._look_due = monotonic
        self._ripe = self._entered is not None
        if monotonic >= self._look_due:
            self._look_due = monotonic + LOOK_SECONDS
            self._look(now, monotonic)
        if monotonic >= self._request_due:
            self._request_due = monotonic + REQUEST_SECONDS
            asked = cards.request(self._own.card, self._own.csr, self._own.keys, now)
            self._request = cards.request_text(asked)
        self._go_on(now, monotonic)

    def reported(self, message: Reported, monotonic: float) -> None:
        """What the front heard."""
        if message.names is not None:
            self._names, self._names_at = message.names, monotonic
        if message.desk is not None and not (message.desk is Desk.ANSWERED and self._desk is Desk.BAD_ANSWER):
            self._desk = message.desk
            self._says = message.says if message.desk is Desk.REFUSED else ""

    def entered(self, message: Line) -> None:
        """How the internet comes, as somebody entered it. It is tried once the page could say so."""
        try:
            uplink = Uplink(kind=message.kind, user=message.user or None, password=message.password or None)
        except ValidationError:
            self._told = "The box cannot use this name or password. Leave out spaces and quotation marks."
            return
        self._entered, self._told = uplink, TRYING
        self._held_until = None  # this one has its time too, however long ago the one before was tried

    def brought(self, message: Brought, now: float, *, tried: bool = False) -> bool:
        """An answer came; whether this box is enrolled by it. `tried`: whatever the line in it is worth."""
        if self.enrolled:
            return False
        if self._held is not None and not message.by_hand and not tried:
            return False  # the service says it again, while the line in it is tried
        own = self._own
        try:
            said = answers.read(
                message.answer.encode("ascii", "replace"),
                keys=own.keys,
                operator=own.operator,
                site=own.card.card.site,
                csr=own.csr,
                now=now,
            )
            files = answers.files(said, keys=own.keys, operator=own.operator, house=self._house, board=own.board)
            other = None if tried or said.network is None else self._other_line(said.network.uplink)
            if other is not None:
                self._held, self._held_until = message, None
                self._entered, self._told = other, TRYING
                return False
            taking.take(self._places, files)
        except EnrolmentError as error:
            log.warning("an answer does not count: %s", error)
            self._refuse(f"The answer cannot be used: {error}.", by_hand=message.by_hand)
            return False
        except OSError as error:
            log.warning("an enrolment cannot be kept: %s", error)
            self._refuse("The box cannot store the answer. Use another box.", by_hand=message.by_hand)
            return False
        log.info("enrolled as %s", own.card.card.site)
        self.enrolled, self._told, self._request = True, "", ""
        return True

    # --- out --------------------------------------------------------------------------------

    @property
    def house(self) -> Household:
        """What the router is at the moment."""
        return self._house

    def fresh(self, now: float, monotonic: float) -> Fresh:
        """For the file that light, page and keeper read."""
        seen = self._seen.model_copy(update={"names": self._names_now(monotonic), "upstream_wifi": self._wifi})
        problem = None if self.enrolled else uplink.judge(seen, self._desk)
        return Fresh(at=now, kind=self._house.wan.kind, stage=self._stage(problem), seen=seen, problem=problem)

    def show(self, now: float, monotonic: float) -> Show:
        """For the page and the desk."""
        own, fresh = self._own, self.fresh(now, monotonic)
        base = Show(
            site=own.card.card.site,
            operator=own.operator.operator,
            contact=own.operator.contact,
            stage=fresh.stage,
            problem=fresh.problem or "",
            upstream_wifi=bool(self._wifi),
            says=self._says if fresh.problem is Problem.NOT_KNOWN else "",
            told=self._told[:300],
            line=self._house.wan.kind,
            user=self._house.wan.user or "",
        )
        if self.enrolled:
            return base
        label = cards.label(own.card, own.sticker)
        return msgspec.structs.replace(
            base,
            label=label.text(),
            link=cards.link(own.operator, label),
            fingerprint=label.fingerprint,
            wifi_name=own.sticker.wifi_name,
            wifi_passphrase=own.sticker.wifi_passphrase,
            card=own.card.model_dump_json(),
            request=self._request,
            enrol_url=own.operator.enrol_url,
            ca=own.operator.ca,
            resolvers=tuple(str(address) for address in self._house.resolver.upstream),
        )

    # --- inside -----------------------------------------------------------------------------

    def _look(self, now: float, monotonic: float) -> None:
        before = self._seen
        self._seen, self._way = self._hands.look(self._house, now, self._earliest)
        if self._seen.cable is not before.cable:
            self._desk = self._names = None  # what was heard by another cable says nothing of this one
        if self._seen.same_network and monotonic >= self._move_due:
            self._move_due = monotonic + MOVE_SECONDS
            self._move()
        if self._way.router is not None and monotonic >= self._scan_due:
            self._scan_due = monotonic + SCAN_SECONDS
            self._wifi = self._hands.scan(self._house, self._way)

    def _try_line(self, uplink: Uplink) -> None:
        self._entered = None
        try:
            if self._seen.address is True and line.is_so(self._places, self._house, uplink):
                self._told = WORKS
                return
            stays = line.tried(self._places, self._house, uplink, self._hands.attempt)
            self._house = load(self._places.at(layout.HOUSEHOLD_FILE))
        except (OSError, ValueError) as error:
            log.warning("the way to the internet cannot be written down: %s", error)
            self._told = "The box could not store this. Try again."
            return
        self._desk = self._names = None  # what was heard by another way says nothing of this one
        self._told = "" if stays else WENT_BACK

    def _other_line(self, uplink: Uplink) -> Uplink | None:
        """What an answer says of the way out, where that has to be tried first; None: what is here is enough."""
        works = self._seen.address is True
        if not line.counts(self._house, uplink, works=works):
            return None
        if not line.is_so(self._places, self._house, uplink):
            return uplink
        # The same that does not work: once more, unless somebody brings the answer again because there is no better one.
        return uplink if uplink.kind == "pppoe" and not works and self._held is None else None

    def _go_on(self, now: float, monotonic: float) -> None:
        """With the answer that waits for its line, as soon as that is known to work, or says nothing."""
        if self._held is None or self._entered is not None:
            return
        self._held_until = monotonic + TRIAL_SECONDS if self._held_until is None else self._held_until
        if self._seen.address is not True and self._seen.login is False:
            self._told = REFUSED
        elif self._seen.address is True or monotonic >= self._held_until:
            held, self._held = self._held, None
            self.brought(held, now, tried=True)

    def _move(self) -> None:
        """The router before the box uses the box's own range: use another."""
        try:
            house = first.household(self._places, self._house, taken=self._way.networks)
            if house != self._house:
                log.info("the router before the box uses %s: trying %s", self._house.lan.network, house.lan.network)
                self._hands.attempt(house)
                self._house = load(self._places.at(layout.HOUSEHOLD_FILE))
        except (FileError, OSError) as error:
            log.warning("another range of addresses cannot be taken: %s", error)

    def _names_now(self, monotonic: float) -> bool | None:
        return self._names if monotonic - self._names_at <= NAMES_STALE else None

    def _stage(self, problem: Problem | None) -> Stage:
        if self.enrolled:
            return "enrolled"
        if self._desk is Desk.WAITING and problem is None:
            return "unclaimed"
        return "asking"

    def _refuse(self, why: str, *, by_hand: bool) -> None:
        if by_hand:
            self._told = why
        else:
            self._desk = Desk.BAD_ANSWER
