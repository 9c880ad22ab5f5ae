"""The templates beside this module, as they are read: nothing undefined, no escape, every line as it stands."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def environment() -> Environment:
    """What reads `templates/`; a name that is not given raises. Templates are compiled once."""
    return Environment(
        loader=PackageLoader("firmware"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - configuration files, not HTML
    )


def fill(template: str, **values: object) -> str:
    """The text of `templates/TEMPLATE.j2` with these values."""
    return environment().get_template(f"{template}.j2").render(values)
