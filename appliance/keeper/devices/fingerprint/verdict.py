"""What the fingerprint says: hits, verdicts, and a change of class.

Leaves: frozen values; a hit has a form of text for the store. Bounded: a hit's captured text has at
most `MAX_CAPTURED` characters and holds nothing that a person chose, see `schema`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.keeper.devices.fingerprint.categories import WORDS, Category
from wire.base import Correction
from wire.models import LooksLike

MAX_CAPTURED = 40
MAX_REASONS = 12
MAX_CONFLICTS = 8
SURE = 0.7
"""A category less sure than this is not said where a wider kind can be."""
_MAX_TEXT = 300
"""`wire.base.Text`."""
_SEPARATOR = "\t"


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule held. All that is kept of what it held for is what the rule may capture."""

    rule: str
    """Its id."""
    model: str | None = None
    """What the rule captured: a model, or the brand, as its `captures` says. Never a host name."""

    @property
    def text(self) -> str:
        """One line for a store; `from_text` reads it."""
        return self.rule if self.model is None else f"{self.rule}{_SEPARATOR}{self.model}"

    def __lt__(self, other: Hit) -> bool:
        # By text: with and without something captured, hits must sort beside each other.
        return self.text < other.text

    @classmethod
    def from_text(cls, text: str) -> Hit:
        """Read `text`; whatever it holds, no error: an id that no rule has says nothing."""
        rule, _, model = text.partition(_SEPARATOR)
        return cls(rule, model[:MAX_CAPTURED] or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a device appears to be. Empty where nothing is known."""

    category: Category | str | None = None
    """One of `Category`, or what a person said; None: cannot tell."""
    os_family: str | None = None
    vendor: str | None = None
    model: str | None = None
    confidence: float = 0.0
    """Of the category; 0 where none is named. At most 0.97; 1 where a person said it."""
    text_confidence: float = 0.0
    """Of what `text` says: of the category or the wider kind; where neither is said, of the brand and system
    that are, the least sure of them. 0 where `text` is empty."""
    reasons: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    """What speaks against it; its weight is already off the confidence."""
    group: str | None = None
    """Words for a wider kind that is surer than the category."""

    @property
    def text(self) -> str:
        """A few plain words; empty where nothing is known."""
        if self.category is None and self.group is None:
            return _without_kind(self)
        if self.category is None or (self.confidence < SURE and self.group is not None):
            kind = self.group or ""
        else:
            kind = WORDS[Category(self.category)] if self.category in set(Category) else self.category
        words = f"{self.vendor} {kind}" if self.vendor else kind
        if self.model:
            words += f" ({self.model})"
        if self.os_family and self.os_family not in {"embedded", "Nintendo", "PlayStation"} and not self.model:
            words += f" with {self.os_family}"
        return words if self.vendor else words[:1].upper() + words[1:]

    def looks_like(self) -> LooksLike | None:
        """The same for the wire, where `confidence` is that of the text; None where nothing is known."""
        text = self.text
        if not text:
            return None
        return LooksLike(
            text=text[:_MAX_TEXT],
            confidence=self.text_confidence,
            reasons=tuple(reason[:_MAX_TEXT] for reason in self.reasons[:MAX_REASONS]),
            category=self.category,
            category_confidence=None if self.category is None else self.confidence,
            os_family=self.os_family,
            vendor=self.vendor,
            model=self.model,
            conflicts=tuple(conflict[:_MAX_TEXT] for conflict in self.conflicts[:MAX_CONFLICTS]) or None,
        )

    def correct(self, correction: Correction | None) -> Verdict:
        """What a person said is locked: evidence never overwrites it, and shows as a conflict at most."""
        if correction is None:
            return self
        said = {
            name: value for name in ("category", "os_family", "vendor", "model") if (value := getattr(correction, name))
        }
        if not said:
            return self
        conflicts = self.conflicts
        if "category" in said and self.category is not None and self.category != said["category"]:
            conflicts = (f"What it shows of itself points to: {self.text}.", *conflicts)[:MAX_CONFLICTS]
        changed = replace(
            self, **said, conflicts=conflicts, reasons=("A person said what it is.", *self.reasons)[:MAX_REASONS]
        )
        if "category" in said:
            return replace(changed, confidence=1.0, text_confidence=1.0, group=None)
        # Words that rest on what the person said alone are as sure as that.
        alone = self.category is None and self.group is None and not (_said_without_kind(changed) - set(said))
        return replace(changed, text_confidence=1.0) if alone else changed


def _said_without_kind(verdict: Verdict) -> set[str]:
    """Which fields the words hold where no kind is said."""
    return {name for name in ("vendor", "model", "os_family") if getattr(verdict, name) not in {None, "embedded"}}


def _without_kind(verdict: Verdict) -> str:
    of = f" of {verdict.vendor}" if verdict.vendor else ""
    model = f" ({verdict.model})" if verdict.model else ""
    os = f" with {verdict.os_family}" if verdict.os_family and verdict.os_family != "embedded" else ""
    return f"Device{of}{model}{os}" if of or model or os else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassChange:
    """A known address began to speak like another kind of device."""

    was: Category
    now: Category
    confidence: float
    """That both are right; 0 to 0.97."""
    reasons: tuple[str, ...]
    alternatives: tuple[str, ...]
    """What else could explain it."""
