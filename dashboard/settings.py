"""The dashboard's settings: `dashboard.toml` in, one frozen `DashboardSettings` out."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dashboard.settings_software import Software
from dashboard.store.outcomes import Outcome
from wire.files import load_toml
from wire.findings import FindingKind, Severity

Name = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Section):
    """What the operator calls people; styles differ between police and probation."""

    person: str = Field(default="person on probation", max_length=60)
    officer: str = Field(default="officer in charge", max_length=60)
    show: Literal["reference", "name"] = "reference"
    """Whether a person is shown by reference, or by name where one is entered."""
    clock: Literal["12-hour", "24-hour"] = "24-hour"
    """How times of day are written."""


class Reviews(_Section):
    """How often a household's findings are looked at, in days, by the risk that was assessed (R40)."""

    unassessed: int = Field(default=14, ge=1, le=366)
    low: int = Field(default=28, ge=1, le=366)
    medium: int = Field(default=14, ge=1, le=366)
    high: int = Field(default=7, ge=1, le=366)
    very_high: int = Field(default=3, ge=1, le=366)
    second_kinds: tuple[FindingKind, ...] = Field(default=(), max_length=64)
    """Kinds of finding about which somebody else has to agree with whoever decides."""
    second_severities: tuple[Severity, ...] = Field(default=(), max_length=4)
    """The same for severities."""
    follow_up_days: int = Field(default=7, ge=1, le=90)
    """When what the person is to be asked comes back, if nobody says otherwise."""
    budget: float = Field(default=1.0, ge=0, le=100)
    """Items for a person that a household should make in a day, at most (R28)."""
    outcomes: dict[Outcome, Annotated[str, Field(min_length=1, max_length=60)]] = Field(default_factory=dict)
    """The operator's own words for outcomes."""

    def days(self, risk: str) -> int:
        """Days between two reviews at a risk of `store.cases.Risk`."""
        of = {"low": self.low, "medium": self.medium, "high": self.high, "very-high": self.very_high}
        return of.get(risk, self.unassessed)


class Visits(_Section):
    """What officers may enter at the end of a visit; the operator's own words, never the box's (R49)."""

    outcomes: tuple[Annotated[str, Field(min_length=1, max_length=60)], ...] = Field(
        default=(
            "Nothing to follow up",
            "Advice given",
            "Follow-up agreed",
            "Referred to another agency",
            "Passed on to a supervisor",
            "Visit could not be finished",
        ),
        min_length=1,
        max_length=12,
    )
    names_in_line: bool = False
    """Whether the line for the case system may hold the person's name, where names are shown at all."""


class HelpLine(_Section):
    """A confidential help line or self-help service (S6)."""

    text: str = Field(min_length=1, max_length=120)
    """What it is, in plain words."""
    contact: str = Field(min_length=1, max_length=80)
    """Telephone number or address, as it is to be printed."""


class Help(_Section):
    """Where people are pointed to for help (S6); printed on papers that are handed out."""

    lines: tuple[HelpLine, ...] = Field(default=(), max_length=8)
    contact: str = Field(default="", max_length=300)
    """Whom somebody at the address may ask about the box, in one or two sentences."""
    complaints: str = Field(default="", max_length=300)
    """How to complain about the operator, in one or two sentences."""


class Ingest(_Section):
    """How the ingest process reaches the broker, and its keys (PEM paths)."""

    host: str
    port: int = Field(default=8883, ge=1, le=65535)
    worker: Name = "ingest-1"
    """CN of this worker's certificate and its MQTT client id."""
    shared: bool = False
    """Other workers, each with a certificate of its own, take messages of the same boxes; on PostgreSQL alone."""
    ca: Path
    certificate: Path
    key: Path
    signing_key: Path
    """Ed25519: signs receipts and commands."""
    sealing_key: Path
    """X25519: events are sealed to it."""


class BoxBroker(_Section):
    """Where boxes connect, as they reach it."""

    host: str = Field(min_length=1, max_length=253)
    port: int = Field(default=8883, ge=1, le=65535)
    renew_url: str | None = Field(default=None, pattern=r"^https://[^\s/?#]+(/[^\s?#]*)?$", max_length=300)
    """Where they renew their certificates; None: they do not."""


class BoxList(_Section):
    """A list that every box fetches; see `wire.lists`."""

    list_id: Name
    manifest: str = Field(pattern=r"^https?://[^\s?#]+$", max_length=300)
    publishers: tuple[str, ...] = Field(min_length=1, max_length=2)
    """Public keys (Ed25519, base64) of those who may publish it."""
    ca: Path | None = None
    """Certificates (PEM) of the authorities under which its server is; the system's where it is not given."""


class EnrolBox(_Section):
    """What a claimed box is given when it enrols."""

    broker: BoxBroker
    server_seal: str = Field(min_length=44, max_length=44)
    """Public half of ingest's sealing key (X25519, base64)."""
    signing_key: Path
    """Ed25519: signs what a box is given. Its public half is one of `boxes.server_verify`."""
    opening_key: Path | None = None
    """X25519: opens what officers entered about a home's way to the internet; its public half is `boxes.uplink_seal`."""
    lists: tuple[BoxList, ...] = Field(default=(), max_length=32)


class Boxes(_Section):
    """What every box is to know of this service before it has spoken to it; public, all of it."""

    enrol_url: str = Field(pattern=r"^https://[^\s/?#]+$", max_length=300)
    """Where boxes enrol: host and port of the enrolment desk as they reach it."""
    ca: Path
    """Certificate (PEM) of the authority that desk and broker are under."""
    server_verify: tuple[str, ...] = Field(min_length=1, max_length=2)
    """Public keys (Ed25519, base64) of ingest and of the enrolment desk."""
    release_keys: tuple[str, ...] = Field(min_length=1, max_length=2)
    """Public keys (Ed25519, base64) that may sign releases of the box's software."""
    country: str = Field(default="GB", pattern=r"^[A-Z]{2}$")
    """Where the boxes are: it says which Wi-Fi channels are allowed."""
    engineer_keys: tuple[str, ...] = Field(default=(), max_length=4)
    """OpenSSH public keys (Ed25519) that open a shell on a box from its home's side; nobody's where there is none."""
    time_servers: tuple[str, ...] = Field(default=(), max_length=4)
    """Servers that speak NTS; well-known ones where there are none."""
    resolvers: tuple[IPv4Address | IPv6Address, ...] = Field(default=(), max_length=4)
    """Addresses of those whom a box asks for names, such as the provider's; well-known ones where there are none."""
    uplink_seal: str | None = Field(default=None, min_length=44, max_length=44)
    """Public half of `enrol.box.opening_key` (X25519, base64). None: what a provider gave cannot be entered here."""


class Enrol(_Section):
    """Where boxes renew their certificates, and the authority's key (PEM paths)."""

    host: str
    port: int = Field(default=8884, ge=1, le=65535)
    ca: Path
    """Certificate of the authority that the broker's clients are under."""
    ca_key: Path
    certificate: Path
    """This server's own, under the same authority: boxes trust no other."""
    key: Path
    box: EnrolBox | None = None
    """What new boxes are given. None: boxes only renew here."""
    look_seconds: float = Field(default=2.0, ge=0.05, le=30)
    """How often it looks for boxes that were revoked, and for requests that a telephone brought."""


class BrokerControl(_Section):
    """How the operator's commands change the broker's access rules (PEM paths)."""

    host: str
    port: int = Field(default=8883, ge=1, le=65535)
    name: Name = "administrator-1"
    """CN of the administrator's certificate."""
    ca: Path
    certificate: Path
    key: Path


class Operator(_Section):
    """The operator's own sign-in (OpenID Connect, code flow)."""

    name: str = Field(max_length=60)
    """What officers call it, for the button."""
    issuer: str = Field(pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])", max_length=300)
    """Its address, without /.well-known; unencrypted on loopback only."""
    client_id: str = Field(max_length=200)
    client_secret_file: Path
    ca: Path | None = None
    """Certificates (PEM) of the authorities under which it is, where they are not the system's."""
    role_claim: str = Field(default="", max_length=60)
    """Name of the claim that says what somebody is; empty: roles are set here alone."""
    roles: dict[str, Literal["officer", "installer", "engineer", "auditor"]] = Field(default={}, max_length=50)
    """Which of the claim's values makes which role; nobody becomes a supervisor by a claim."""
    make_accounts: bool = False
    """Whether who has such a claim gets an account at the first sign-in."""


class SignIn(_Section):
    """How people sign in, and for how long."""

    public_url: str | None = Field(default=None, pattern=r"^(https://[^/]+|http://(127\.0\.0\.1|localhost)(:\d+)?)$")
    """Address of this service as browsers see it, without a path: passkeys and the operator's sign-in want it."""
    operator: Operator | None = None
    """None: the operator has no sign-in of its own."""
    idle_seconds: float = Field(default=3600.0, ge=120, le=12 * 3600)
    """How long a session lasts when nothing is asked for."""
    limits: str = Field(default="memory://", pattern=r"^(memory://|redis://|rediss://|redis\+unix://)")
    """Where tries are counted: in each process, or in Redis for all."""
    tries_a_minute: int = Field(default=30, ge=1, le=10000)
    """Sign-ins that one network address may try in a minute."""
    exports_an_hour: int = Field(default=60, ge=1, le=10000)
    """Exports that one account may make in an hour."""


class Stamps(_Section):
    """A time-stamping service (RFC 3161) for the daily stamp of all ledgers."""

    url: str = Field(pattern=r"^https?://", max_length=300)
    roots: Path
    """Certificates (PEM) of the authorities under which its own is accepted."""


class Alerts(_Section):
    """Messages out of the pages: whom they may reach, and how long somebody may take to answer (R38)."""

    address: str = Field(pattern=r"^https?://[^\s?#]{1,200}$")
    """Where people sign in; all that a message holds beside a number."""
    key_file: Path | None = None
    """At least 32 random bytes that seal people's addresses; the secret key's file where it is not given."""
    kinds: tuple[str, ...] = Field(
        default=("mailtos", "ntfys", "jsons", "workflows", "twilio", "vonage", "clicksend"), min_length=1, max_length=16
    )
    """Kinds of address (Apprise's schemes) that may be entered."""
    allow_private: bool = False
    """Messages may go into private networks, and unencrypted: only where the mail server is the operator's own."""
    escalate_minutes: float = Field(default=10.0, ge=1, le=120)
    """So long an alert may go without somebody saying that they look at it."""
    repeat_minutes: float = Field(default=60.0, ge=0, le=1440)
    """Of one cause, what can wait until the day is over is not told again within that time."""
    digest_hour: int = Field(default=8, ge=0, le=23)
    """Local hour of the daily summary."""
    round_seconds: float = Field(default=5.0, ge=0.05, le=60)
    keep_days: int = Field(default=90, ge=7, le=400)
    """How long it is kept who was told what."""

    @field_validator("kinds")
    @classmethod
    def _known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        known = (
            "mailtos", "mailto", "ntfys", "ntfy", "jsons", "json", "workflows", "twilio", "vonage", "clicksend",
            "bulksms", "messagebird",
        )  # fmt: skip
        for one in kinds:
            if one not in known:
                raise ValueError(f"messages cannot be sent by {one!r}; there are {', '.join(known)}")
        return kinds


class Siem(_Section):
    """A collector that is fed the audit and the states of findings, by ids alone (RFC 5424)."""

    host: str = Field(min_length=1, max_length=253)
    port: int = Field(default=6514, ge=1, le=65535)
    transport: Literal["tls", "tcp", "udp"] = "tls"
    ca: Path | None = None
    """Certificates (PEM) that the collector's is under; the system's where it is not given."""
    certificate: Path | None = None
    """This service's own, where the collector asks for one."""
    key: Path | None = None
    name: str = Field(default="gatehouse", pattern=r"^[A-Za-z0-9.-]{1,63}$")
    """What this service calls itself in each line."""
    enterprise: int = Field(default=32473, ge=1, le=2**31 - 1)
    """The operator's private enterprise number; the default is the one for examples (RFC 5612)."""
    most_waiting: int = Field(default=100_000, ge=1000, le=10_000_000)
    """Rows of the audit that may wait for a collector that is away; older ones are counted as left out."""


class DashboardSettings(_Section):
    """All of `dashboard.toml`."""

    database_url: str = Field(pattern=r"^(sqlite|postgresql)")
    tenant: Name
    operator: str = Field(max_length=120)
    """Name shown in the header; the operator's own, no government branding."""
    secret_key_file: Path
    """At least 32 random bytes; the app refuses to start without it."""
    poll_seconds: float = Field(default=30.0, ge=0.05, le=3600)
    command_seconds: float = Field(default=600.0, gt=0, le=86400)
    """How long a command stays valid."""
    secure_cookies: bool = True
    """False only where the page is served on loopback without TLS."""
    hosts: tuple[Annotated[str, Field(pattern=r"^\.?[a-z0-9.-]{1,253}$")], ...] = Field(default=(), max_length=8)
    """Names under which browsers ask for the pages; a request for any other is refused. Empty takes any."""
    trusted_proxy: str | None = Field(default=None, pattern=r"^[0-9a-fA-F.:]{2,45}$")
    """Address of the one TLS proxy whose word on who is asking counts (X-Forwarded-For, -Proto, -Host); else nobody's."""
    time_zone: str = "Europe/London"
    """The zone whose time the pages keep (IANA name)."""
    silent_seconds: float = Field(default=150.0, ge=1, le=3600)
    """A box that was not heard of for so long is said to be silent; boxes say something every minute."""
    backup_hours: float = Field(default=22.0, gt=0, le=168)
    """How long a backup can be opened: its key is destroyed then, so that what was erased is gone from it too. With the
    hour between two purges, and that between two looks at the keys, what is due is gone from everywhere within a day."""
    backup_keys: Path | None = None
    """Where the keys of backups are kept, apart from them; beside the secret where this is not given."""
    languages: tuple[str, ...] = Field(default=("en",), min_length=1, max_length=8)
    """Languages the pages are offered in; the first where the browser asks for none of them. There are en and cy."""
    words: Words = Words()
    reviews: Reviews = Reviews()
    visits: Visits = Visits()
    help: Help = Help()
    authority_issuers: tuple[str, ...] = Field(default=(), max_length=4)
    """Public keys (Ed25519, base64) of those who may issue an authority document; the same that boxes pin."""
    sign_in: SignIn = SignIn()
    stamps: Stamps | None = None
    """None: no stamp is taken."""
    alerts: Alerts | None = None
    """None: nobody is told anything outside the pages."""
    siem: Siem | None = None
    """None: no collector is fed."""
    outcomes: tuple[str, ...] = Field(
        default=(
            "no further action",
            "advice given",
            "order varied",
            "referred to another agency",
            "returned to court",
        ),
        min_length=1,
        max_length=20,
    )
    """Words an officer may choose from when entering what came of supervision, for the monthly return (R49)."""
    enrol: Enrol | None = None
    """Only in the file of the process that renews certificates; no other holds the authority's key."""
    boxes: Boxes | None = None
    """None: no card for new boxes can be made."""
    control: BrokerControl | None = None
    """Only in the files that the operator's commands and the enrolment desk are given: the desk lets claimed boxes in at
    the broker, and cuts the live sessions of those that were revoked."""
    software: Software = Software()
    ingest: Ingest | None = None
    """Absent in the web process's own file; the web process never holds these keys."""

    @field_validator("languages")
    @classmethod
    def _spoken(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for one in languages:
            if one not in ("en", "cy"):
                raise ValueError(f"the pages do not speak {one!r}; they speak en and cy")
        return languages

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name!r} is not a known time zone; give one such as Europe/London") from None
        return name


def load(path: Path) -> DashboardSettings:
    """Read and check a settings file.

    Raises:
        FileError: the file is missing, not TOML, or a value is wrong.
    """
    return load_toml(path, DashboardSettings, purpose="the dashboard's settings file")
