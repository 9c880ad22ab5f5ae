"""What the pages about accounts and signing in are given."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import Choice, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage:
    """*Sign in*."""

    name: str
    """Typed name."""
    target: str
    """Where to go afterwards: a path of this service."""
    error: str
    """What went wrong; empty at first."""
    operator: str
    """What the operator's own sign-in is called; empty where there is none."""
    passkeys: bool
    """Whether passkeys can be used."""
    kept: bool
    """Whether a form is kept that is shown again after signing in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorSignInPage:
    """*Sign in with an authenticator app*."""

    name: str
    """Typed name."""
    target: str
    """Where to go afterwards."""
    error: str
    """What went wrong; empty at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainPage:
    """*Show that it is you*."""

    target: str
    """Where to go afterwards."""
    error: str
    """What went wrong; empty at first."""
    operator: str
    """What the operator's own sign-in is called; empty where it is not the account's."""
    passkeys: bool
    """Whether the account has one."""
    authenticator: bool
    """Whether the account has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldField:
    """One field of a kept form."""

    name: str
    """Name in the form."""
    label: str
    """The name in words."""
    value: str
    """What was typed, as it is sent again."""
    written: bool
    """It is text that somebody wrote, and can be changed here."""
    shown: bool
    """It means something to a reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPage:
    """*What you typed is still here*."""

    held_id: str
    """Its id."""
    target: str
    """Where it goes."""
    fields: tuple[HeldField, ...]
    """In the order of the form."""
    files: bool
    """Whether a file has to be chosen again."""
    at: Moment
    """When it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A place where somebody is signed in."""

    session_id: str
    """Its id."""
    client: str
    """Browser and system."""
    origin: str
    """Network address."""
    way: str
    """How it was signed in to, in words."""
    since: Moment
    """When it began."""
    seen: Moment
    """When it was last used."""
    own: bool
    """It is the one that asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRow:
    """A passkey."""

    key_id: str
    """A part of its id."""
    name: str
    """What its owner calls it."""
    made: Moment
    """When it was added."""
    used: Moment | None
    """When it was last used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverRow:
    """Somebody stands in for somebody."""

    text: str
    """Who for whom."""
    since: Moment
    """From when."""
    until: Moment
    """Until when."""
    account_id: str
    """Who stands in."""
    for_account: str
    """For whom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """*Your account*."""

    name: str
    """Whose it is."""
    role: str
    """In words."""
    sessions: tuple[SessionRow, ...]
    """Where it is signed in."""
    passkeys_on: bool
    """Whether passkeys can be used here."""
    passkeys: tuple[PasskeyRow, ...]
    """Its passkeys."""
    authenticator: Moment | None
    """Since when it has an authenticator app; None without one."""
    recovery: int
    """How many recovery codes are left."""
    operator: str
    """What the operator's own sign-in is called; empty where there is none."""
    linked: bool
    """Whether it is linked to that."""
    covers: tuple[CoverRow, ...]
    """Who stands in for whom."""
    officers: tuple[Choice, ...]
    """Who could stand in; empty for roles that have no households."""
    error: str
    """What is wrong with a form; empty if nothing."""
    problem_at: str
    """Element that it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorPage:
    """*Set up an authenticator app*."""

    qr: str
    """SVG of the QR code, made here."""
    secret: str
    """The same in letters, in groups of four."""
    error: str
    """What went wrong; empty at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryPage:
    """*Recovery codes*, shown once."""

    codes: tuple[str, ...]
    """Each works once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """An account in the list of all."""

    account_id: str
    """Its id."""
    address: str
    """Link."""
    name: str
    """Its name."""
    role: str
    """In words."""
    households: int
    """How many are given to it."""
    last: Moment | None
    """When it last signed in."""
    keys: str
    """How it can sign in, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRequestRow:
    """Somebody is to become a supervisor, and a second supervisor has to agree."""

    request_id: str
    """Its id."""
    text: str
    """Who is to get which role, and who asked."""
    at: Moment
    """When it was asked for."""
    mine: bool
    """Whether who is reading asked for it, and so cannot agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsPage:
    """*Accounts*: all of them."""

    accounts: tuple[AccountRow, ...]
    """By name."""
    nobodys: tuple[tuple[str, str], ...]
    """Households that nobody is in charge of: id, and what officers call it."""
    requests: tuple[RoleRequestRow, ...]
    """Roles that wait for a second supervisor."""
    covers: tuple[CoverRow, ...]
    """Who stands in for whom."""
    officers: tuple[Choice, ...]
    """Who can be in charge."""
    roles: tuple[Choice, ...]
    """Roles there are."""
    typed: str
    """Name that was typed."""
    error: str
    """What is wrong with a form; empty if nothing."""
    problem_at: str
    """Element that it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneAccountPage:
    """*Account*: one of them, for a supervisor."""

    account_id: str
    """Its id."""
    name: str
    """Its name."""
    role: str
    """In words."""
    roles: tuple[Choice, ...]
    """Roles there are."""
    own: bool
    """It is who is asking."""
    last: Moment | None
    """When it last signed in."""
    keys: str
    """How it can sign in, in words."""
    sessions: tuple[SessionRow, ...]
    """Where it is signed in."""
    given: tuple[tuple[str, str], ...]
    """Its households: id, and what officers call it."""
    others: tuple[tuple[str, str], ...]
    """Other households."""
    takes_households: bool
    """Whether its role has households of its own."""
    error: str
    """What is wrong with a form; empty if nothing."""
    code: str
    """A one-time code just made, shown once; empty otherwise."""
