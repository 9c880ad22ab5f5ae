"""A new box below a folder that stands for `/`, and a service that would enrol it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from appliance.fitting import card as cards
from appliance.fitting import first, keys, operator
from appliance.fitting.holding import Hands, Holder, Own
from appliance.fitting.looks import Way
from appliance.fitting.places import Places
from appliance.fresh import Seen
from firmware import layout
from firmware.household import Household, as_toml
from wire.enrolment import BrokerAt, Enrolment, ListAt, Network, NoticeTexts, OperatorCard, Uplink, seal
from wire.files import toml_text
from wire.keys import public_text, seal_key
from wire.wifi import SealedPassphrase, seal_passphrase

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()
PASSPHRASES = {"household": "correct horse battery", "laptop-1": "a laptop's own words"}
PROVIDER = "provider-canary-77"


def port(root: Path, name: str, *, radio: bool = False, carrier: str = "1", kind: str = "1") -> None:
    """A network interface as `/sys/class/net` shows it."""
    folder = root / "sys/class/net" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "type").write_text(f"{kind}\n")
    (folder / "carrier").write_text(f"{carrier}\n")
    (folder / "address").write_text("02:00:5e:00:53:01\n")
    (folder / "device").mkdir(exist_ok=True)
    if radio:
        (folder / "phy80211").mkdir(exist_ok=True)


@dataclass(slots=True, kw_only=True)
class Service:
    """An operator with all its keys."""

    ca_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    signer: ed25519.Ed25519PrivateKey = field(default_factory=ed25519.Ed25519PrivateKey.generate)
    issuer: ed25519.Ed25519PrivateKey = field(default_factory=ed25519.Ed25519PrivateKey.generate)
    opener: x25519.X25519PrivateKey = field(default_factory=x25519.X25519PrivateKey.generate)
    enrol_url: str = "https://desk.example.org:8884"
    ca: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example authority")])
        self.ca = self._built(name, self.ca_key.public_key(), name, NOW, 3650)

    def _built(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, by: x509.Name, now: float, days: float
    ) -> x509.Certificate:
        start = datetime.fromtimestamp(now, UTC) - timedelta(hours=1)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(by)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=days))
            .sign(self.ca_key, hashes.SHA256())
        )

    @property
    def card(self) -> OperatorCard:
        return OperatorCard(
            tenant="example",
            operator="the Example Service",
            contact="Call 01632 960000.",
            enrol_url=self.enrol_url,
            dashboard_url="https://gatehouse.example.org",
            ca=self.ca.public_bytes(Encoding.PEM).decode(),
            server_verify=(public_text(self.signer),),
            issuers=(public_text(self.issuer),),
            release_keys=(public_text(self.issuer),),
            country="GB",
        )

    def certificate(self, csr: str, *, now: float = NOW, days: float = 7, name: str | None = None) -> str:
        asked = x509.load_pem_x509_csr(csr.encode())
        key = asked.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        subject = asked.subject if name is None else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self._built(subject, key, self.ca.subject, now, days).public_bytes(Encoding.PEM).decode()

    def network(self, box: Box, *, uplink: Uplink | None = None) -> Network:
        recipient = seal_key(box.card.card.seal_key)
        return Network(
            ssid="Rose Cottage",
            country="GB",
            uplink=uplink or Uplink(kind="pppoe", user="line@provider.example", password=PROVIDER),
            passphrases=tuple(
                SealedPassphrase(
                    key_id=key_id,
                    sealed=seal_passphrase(text, site=box.site, key_id=key_id, recipient=recipient),
                    purpose="household" if key_id == "household" else "device",
                )
                for key_id, text in reversed(PASSPHRASES.items())
            ),
        )

    def enrolment(self, box: Box, **changed: object) -> Enrolment:
        whole: dict[str, object] = {
            "tenant": "example",
            "site": box.site,
            "request_key": hashlib.sha256(box.csr.encode()).hexdigest(),
            "certificate": self.certificate(box.csr),
            "broker": BrokerAt(host="broker.example.org", port=8883, renew_url="https://desk.example.org:8884"),
            "server_seal": public_text(self.opener),
            "notice": NoticeTexts(
                operator="the Example Service", contact="Call.", complaints="Write.", help_lines=("0808 157 0000",)
            ),
            "network": self.network(box),
            "lists": (
                ListAt(
                    list_id="example-list",
                    manifest="https://lists.example.org/manifest.json",
                    publishers=(public_text(self.issuer),),
                    ca=self.card.ca,
                ),
            ),
            "at": datetime.fromtimestamp(NOW, UTC),
        }
        return Enrolment.model_validate(whole | changed)

    def answer(self, box: Box, *, now: bool = False, **changed: object) -> bytes:
        """`now`: of this moment, for a box that runs by the real clock."""
        if now:
            moment = datetime.now(UTC)
            changed |= {"at": moment, "certificate": self.certificate(box.csr, now=moment.timestamp())}
        return seal(self.enrolment(box, **changed), signer=self.signer, recipient=seal_key(box.card.card.seal_key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box after its first boot."""

    places: Places

    @property
    def root(self) -> Path:
        return self.places.root

    @property
    def keys(self) -> keys.Keys:
        return keys.load(self.places)

    @property
    def card(self) -> cards.SignedCard:
        card = cards.load_card(self.places)
        assert card is not None
        return card

    @property
    def site(self) -> str:
        return self.card.card.site

    @property
    def csr(self) -> str:
        return cards.csr_of(self.places, self.card, self.keys)

    @property
    def operator(self) -> OperatorCard:
        return operator.load(self.places.at(layout.OPERATOR_FILE))

    def everything(self) -> dict[str, bytes]:
        """All files of the data partition."""
        data = self.places.at(layout.DATA)
        return {path.relative_to(data).as_posix(): path.read_bytes() for path in data.rglob("*") if path.is_file()}


def bare(root: Path, service: Service) -> Places:
    """A machine with a written card, before its first boot."""
    for name, radio in (("eth0", False), ("eth1", False), ("wlan0", True)):
        port(root, name, radio=radio)
    port(root, "lo", kind="772")
    path = Places(root=root).at(layout.OPERATOR_FILE)
    path.parent.mkdir(parents=True)
    path.write_text(toml_text(service.card))
    return Places(root=root)


WELL = Seen(port=True, cable=True, address=True, same_network=False, gateway=True, time=True)


@dataclass(slots=True)
class Machine:
    """What a script says of the machine, and what was done to it."""

    seen: Seen = WELL
    way: Way = field(default_factory=lambda: Way(router="00:00:5e:00:53:01"))
    wifi: bool | None = False
    applied: int = 0
    scans: int = 0
    then: Callable[[Household], object] = lambda _home: None
    """What `gatehouse apply --new` makes of a household; by itself it takes it back."""

    def look(self, _house: Household, _now: float, _earliest: float) -> tuple[Seen, Way]:
        return self.seen, self.way

    def scan(self, _house: Household, _way: Way) -> bool | None:
        self.scans += 1
        return self.wifi

    def attempt(self, home: Household) -> None:
        self.applied += 1
        self.then(home)

    @property
    def hands(self) -> Hands:
        return Hands(look=self.look, scan=self.scan, attempt=self.attempt)


@pytest.fixture
def machine(box: Box) -> Machine:
    path = box.places.at(layout.HOUSEHOLD_FILE)
    return Machine(then=lambda home: path.write_text(as_toml(home)))


@pytest.fixture
def holder(box: Box, machine: Machine) -> Holder:
    sticker = cards.load_sticker(box.places)
    assert sticker is not None
    own = Own(keys=box.keys, operator=box.operator, card=box.card, sticker=sticker, csr=box.csr, board="gatehouse-qemu")
    return Holder(box.places, own, machine.hands, monotonic=0.0)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def unborn(tmp_path: Path, service: Service) -> Places:
    return bare(tmp_path / "root", service)


@pytest.fixture
def box(unborn: Places) -> Box:
    first.boot(unborn, now=NOW)
    return Box(places=unborn)


@pytest.fixture
def new_box(tmp_path: Path, service: Service) -> Callable[[str], Box]:
    def make(name: str) -> Box:
        places = bare(tmp_path / name, service)
        first.boot(places, now=NOW)
        return Box(places=places)

    return make


@pytest.fixture
def as_box() -> Callable[[Places], Box]:
    return lambda places: Box(places=places)


@pytest.fixture
def now() -> float:
    return NOW


@pytest.fixture
def add_port() -> Callable[..., None]:
    return port


@pytest.fixture
def secrets_of() -> dict[str, str]:
    """What no file may hold once a box is wiped."""
    return {**PASSPHRASES, "provider": PROVIDER}
