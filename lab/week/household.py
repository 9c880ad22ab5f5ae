"""A household that is watched under an order, as data: who lives how, and what is done to get round the box.

`compliant.toml` or `non-compliant.toml` in, a checked `Household` out. The second names the first, and adds to it:
it is the same household. Days count from 0, a Monday; the first `before` of them only show what is usual here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from lab.personas import LookedUp
from lab.week.cast import Cast, Hours, Member
from wire.files import load_toml

FOLDER = Path(__file__).parent
COMPLIANT, NON_COMPLIANT = FOLDER / "compliant.toml", FOLDER / "non-compliant.toml"

Days = Annotated[tuple[int, ...], Field(description="which, from 0")]
WEEK = tuple(range(7))
Way = Literal["other-resolver", "encrypted-names", "tunnel", "listed", "tor", "behind"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Use(_Part):
    """What a device is used for, and when."""

    kind: Literal["pages", "film", "game", "call", "work"]
    hours: Hours
    weekdays: Days = WEEK
    """0 is Monday."""


class Life(_Part):
    """How a member lives."""

    member: str
    use: tuple[Use, ...] = ()
    sites: tuple[LookedUp, ...] = ()
    """Names of the pages it shows."""
    carried: bool = False
    """It goes where its owner goes, or is switched off when nobody is there."""
    asks: tuple[Literal["relay", "designated", "encrypted-here", "calls"], ...] = ()
    """What its system does by itself when it joins: ask for its maker's relay, or for a protected resolver; try
    whether the box is one; and set calls up over Wi-Fi."""
    backs_up: bool = False
    """In the night, over TLS."""


class Outside(_Part):
    """Nobody is at home."""

    day: int
    hours: Hours


class Around(_Part):
    """Something that is done to get round the box."""

    member: str
    way: Way
    days: Days
    hours: Hours
    says: str
    """In words, what it is."""


class Rest(_Part):
    """A device lies there, joined and unused."""

    member: str
    days: Days


class Household(Cast):
    """A household and its weeks."""

    before: int = Field(ge=0, le=28)
    """Days before the story begins."""
    days: int = Field(ge=1, le=42)
    life: tuple[Life, ...] = ()
    outside: tuple[Outside, ...] = ()
    no_internet: tuple[Outside, ...] = ()
    """The provider's line is down."""
    no_power: tuple[Outside, ...] = ()
    """The box is without power."""
    around: tuple[Around, ...] = ()
    rest: tuple[Rest, ...] = ()

    def of(self, member: str) -> Life:
        """How a member lives."""
        return next((life for life in self.life if life.member == member), Life(member=member))


class _Added(_Part):
    title: str
    same_as: Literal["compliant.toml"]
    member: tuple[Member, ...]
    life: tuple[Life, ...]
    around: tuple[Around, ...]
    rest: tuple[Rest, ...]


def compliant() -> Household:
    """The household that keeps to what was agreed.

    Raises:
        FileError: the file is wrong; the text names file and field.
    """
    return load_toml(COMPLIANT, Household, purpose="a household")


def non_compliant() -> Household:
    """The same household, with ways round the box in the story's week; raises as `compliant`."""
    added, base = load_toml(NON_COMPLIANT, _Added, purpose="what a household does otherwise"), compliant()
    return base.model_copy(
        update={
            "title": added.title,
            "member": (*base.member, *added.member),
            "life": (*base.life, *added.life),
            "around": added.around,
            "rest": added.rest,
        }
    )
