"""Everyday programs: what a household's devices do all day, and what must not read as a way round.

`everyday.toml` in, tools out. Real programs wherever Debian has one; where a service needs an account
or a device that nobody can run here (a game, a call), its packets are played, and the title says so.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lab.client import Client
from lab.tools.ground import Ground, Tool, script
from wire.files import load_toml

FILE = Path(__file__).with_suffix(".toml")
_FETCH = 'fetch() { curl -sk -m 8 -o /dev/null "$@"; }'


class _Program(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str
    script: str
    needs: tuple[str, ...] = ()
    renews: bool = False
    """Whether the device asks for its address a second time."""

    def __call__(self, ground: Ground, client: Client) -> None:
        if self.renews:
            client.lease()
        python = f'python() {{ "{sys.executable}" "$@"; }}'
        script(client, f"CA={ground.stack.home.ca}\n{_FETCH}\n{python}\n{self.script}")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    program: Annotated[tuple[_Program, ...], Field(min_length=1)]


def load() -> tuple[Tool, ...]:
    """All of the file, each for a device of its own.

    Raises:
        FileError: the file is wrong; the text says where.
    """
    programs = load_toml(FILE, _File, purpose="the table of everyday programs").program
    return tuple(Tool(name=item.name, title=item.title, run=item, needs=item.needs) for item in programs)


TOOLS = load()
