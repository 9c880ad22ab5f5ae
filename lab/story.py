"""Stories as data: what happens in the household, when. A TOML file in, a checked `Story` out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from lab.personas import names as persona_names
from wire.base import Standing
from wire.files import FileError, load_toml
from wire.findings import FindingKind

FOLDER = Path(__file__).parent / "stories"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Step(_Part):
    at: float = Field(ge=0)
    """Seconds from the start of the story."""
    who: str
    """Name of a persona."""
    say: str
    """What the demonstration prints."""


class Join(_Step):
    """A device joins the Wi-Fi and asks for a lease."""

    do: Literal["join"]


class Browse(_Step):
    """A device looks names up and opens a TLS connection to each."""

    do: Literal["browse"]
    names: tuple[str, ...] = Field(min_length=1, max_length=32)


class Ask(_Step):
    """A device asks a resolver of its own choice, in plain; the box answers in its place."""

    do: Literal["ask"]
    names: tuple[str, ...] = Field(min_length=1, max_length=32)


class Register(_Step):
    """The officer gives the device a standing, from its finding on the page."""

    do: Literal["register"]
    standing: Standing
    label: str


class ChangeMac(_Step):
    """A device leaves, takes another locally administered address and joins again."""

    do: Literal["change-mac"]


Step = Annotated[Join | Browse | Ask | Register | ChangeMac, Field(discriminator="do")]


class Story(_Part):
    """What happens, and which findings it must lead to."""

    title: str
    seconds: float = Field(gt=0, le=3600)
    step: tuple[Step, ...] = Field(min_length=1, max_length=200)
    expect: dict[FindingKind, int]

    def scaled(self, seconds: float) -> Story:
        """The same story told in `seconds`."""
        factor = seconds / self.seconds
        steps = tuple(step.model_copy(update={"at": step.at * factor}) for step in self.step)
        return self.model_copy(update={"seconds": seconds, "step": steps})


def load(name: str) -> Story:
    """Read a story by name.

    Raises:
        FileError: no such story, or it is wrong; the text says where.
    """
    path = FOLDER / f"{name}.toml"
    if not path.exists():
        known = ", ".join(sorted(item.stem for item in FOLDER.glob("*.toml")))
        raise FileError(f"there is no story {name!r}; known are {known}")
    story = load_toml(path, Story, purpose="a story")
    unknown = {step.who for step in story.step} - set(persona_names())
    if unknown:
        raise FileError(f"{path}: nobody is called {', '.join(sorted(unknown))}; see lab/personas")
    return story
