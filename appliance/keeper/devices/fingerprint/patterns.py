"""What a pattern in a rule may be: one that cannot be made slow, and one that cannot carry a name off.

Enters: a regular expression of ours. Leaves: a sentence that says what is wrong with it, or None.
"""

from __future__ import annotations

import re

MAX_PATTERN = 1000
MAX_UNBOUNDED = 2
"""Most `*`, `+` and `{n,}` in one pattern: a search over n characters then takes at most n cubed steps."""
MAX_COUNTED = 6
"""Most characters of a class that a capture from a name takes; of one with small letters, `MAX_SMALL`."""
MAX_SMALL = 2

_REPEAT = re.compile(r"[*+?]|\{(\d*)(,?)(\d*)\}")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")


def fault(pattern: str, *, person_may_choose: bool) -> str | None:
    """Why `pattern` may not be in a rule; `person_may_choose`: its text may hold what a person wrote."""
    if len(pattern) > MAX_PATTERN:
        return f"is longer than {MAX_PATTERN} characters"
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        return f"is not a regular expression: {error}"
    if set(compiled.groupindex) - {"model"}:
        return "may name only the group `model`"
    return _Scan(pattern).fault(person_may_choose=person_may_choose)


class _Group:
    """An open group: whether it is `model`, and whether it holds an unbounded repeat."""

    def __init__(self, *, model: bool) -> None:
        self.model = model
        self.repeats = False


class _Scan:
    """One pass over a pattern that compiles; no recursion."""

    def __init__(self, pattern: str) -> None:
        self.unbounded = 0
        self.nested = False
        self.wide = False
        self._open: list[_Group] = []
        self._closed: _Group | None = None
        self._most: int | None = None  # how often the last item, if it stands for many, may be repeated in a capture
        position = 0
        while position < len(pattern):
            position = self._step(pattern, position)

    def fault(self, *, person_may_choose: bool) -> str | None:
        """What was found, in words."""
        if self.nested:
            return "repeats a group without bound, or one that repeats something without bound: that may take very long"
        if self.unbounded > MAX_UNBOUNDED:
            return f"has more than {MAX_UNBOUNDED} unbounded repeats"
        if person_may_choose and self.wide:
            return "captures freely from what a person may have chosen: give words, digits or up to six capitals"
        return None

    @property
    def _in_model(self) -> bool:
        return any(group.model for group in self._open)

    def _step(self, pattern: str, at: int) -> int:
        char = pattern[at]
        if repeat := _REPEAT.match(pattern, at):
            return self._repeat(repeat, char)
        closed, self._closed, self._most = self._closed, None, None
        if char == "\\":
            self._item(wide=pattern[at + 1] in "wWSDs", most=MAX_COUNTED if pattern[at + 1] == "d" else None)
            return at + 2
        if char == "[" and (found := _CLASS.match(pattern, at)):
            small = "a-z" in found[0]
            self._item(wide="^" in found[0] or "\\w" in found[0], most=MAX_SMALL if small else MAX_COUNTED)
            return found.end()
        if char == "(":
            model = pattern.startswith("(?P<model>", at)
            self._open.append(_Group(model=model))
            return at + (
                10 if model else 3 if pattern.startswith(("(?:", "(?=", "(?!"), at) else self._flags(pattern, at)
            )
        if char == ")" and self._open:
            self._closed = self._open.pop()
            if self._open and (self._closed.repeats or (closed is not None and closed.repeats)):
                self._open[-1].repeats = True
            return at + 1
        self._item(wide=char == ".", most=None)
        return at + 1

    @staticmethod
    def _flags(pattern: str, at: int) -> int:
        # (?i) and (?<! open too; their letters are harmless to this scan, their question mark is not.
        return 2 if pattern.startswith("(?", at) else 1

    def _item(self, *, wide: bool, most: int | None) -> None:
        self._most = most
        self.wide |= wide and self._in_model

    def _repeat(self, repeat: re.Match[str], char: str) -> int:
        endless = char in "*+" or (char == "{" and repeat[2] == "," and not repeat[3])
        if char != "?":
            if self._closed is not None:
                self.nested |= endless or self._closed.repeats
            if self._open and endless:
                self._open[-1].repeats = True
            most = int(repeat[3] or repeat[1] or 0) if char == "{" else 0
            self.wide |= self._in_model and (endless or (self._most is not None and most > self._most))
        self.unbounded += endless
        return repeat.end()
