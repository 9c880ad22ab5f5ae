"""Who is in the seven-day story, as data: `cast.toml` in, a checked `Cast` out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from lab import personas
from lab.personas import HostName, LookedUp, Persona
from wire.base import Standing
from wire.files import load_toml

FILE = Path(__file__).with_name("cast.toml")
HOUSEHOLD_KEY = "household"
"""The passphrase that everybody in the house knows; it says nothing of a device."""

Hours = Annotated[tuple[float, float], Field(description="from, to")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Member(_Part):
    """One device: the truth that the box is to find."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    persona: str
    standing: Standing
    """What the officer makes of it at the visit."""
    host_name: HostName | None = None
    """In place of the persona's."""
    habits: tuple[LookedUp, ...] = ()
    """In place of the persona's."""
    address: Literal["fixed", "nightly", "each-join"] = "fixed"
    """How long it keeps a hardware address: for ever, until three in the morning, for one stay."""
    new_address_on: tuple[int, ...] = ()
    """Days on which it comes back under another address all the same."""
    wired: bool = False
    """By cable: hostapd says nothing of it."""
    key: str = Field(default=HOUSEHOLD_KEY, pattern=r"^[a-z0-9-]{1,64}$")
    key_until_day: int | None = None
    """A guest's passphrase ends at the beginning of this day."""
    stays: tuple[Hours, ...]
    first: tuple[Hours, ...] | None = None
    """Stays of the first day, where they differ."""
    days: dict[int, tuple[Hours, ...]] = {}
    """Stays of single days, where they differ."""
    awake: tuple[Hours, ...] = ((6.5, 23.5),)
    """When it is used; else it dozes."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for stays in (self.stays, self.first or (), *self.days.values()):
            edges = [edge for stay in stays for edge in stay]
            if edges != sorted(edges):
                raise ValueError("stays must follow each other")
        return self

    def spoken_by(self) -> Persona:
        """Its persona, with what is its own put in."""
        persona = personas.load(self.persona)
        if self.host_name is not None:
            services = tuple(service.model_copy(update={"name": self.host_name}) for service in persona.services)
            persona = persona.model_copy(update={"host_name": self.host_name, "services": services})
        return persona.model_copy(update={"habits": self.habits or persona.habits})

    def hours(self, day: int) -> tuple[Hours, ...]:
        """When it is there on a day; an end over 24 is on the next."""
        if day == 0 and self.first is not None:
            return self.first
        return self.days.get(day, self.stays)


class Cast(_Part):
    """Everybody."""

    title: str
    starts: AwareDatetime
    days: int = Field(ge=1, le=14)
    member: tuple[Member, ...] = Field(min_length=1, max_length=64)

    @model_validator(mode="after")
    def _all_differ(self) -> Self:
        names = [member.name for member in self.member]
        if len(set(names)) != len(names):
            raise ValueError("two members are called alike")
        return self


def load(path: Path = FILE) -> Cast:
    """Read the cast.

    Raises:
        FileError: the file is wrong; the text names file and field.
    """
    return load_toml(path, Cast, purpose="the cast of a week")
