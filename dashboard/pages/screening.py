"""The questions of a visit (S1), and where an answer and what the box saw do not match.

Pure: answers and counts in, sentences out. The set has a version that is kept with the answers, so that an old answer
is shown with the question that was asked. A difference is a question for the visit, never a finding: nothing here
raises one, and every sentence leaves room for an ordinary reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.i18n import N_, _, ngettext

MOST_ANSWER = 300
MOST_NUMBER = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question."""

    key: str
    kind: str
    """number, choice or text."""
    text: str
    """For extraction; looked up where it is shown."""
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """Value and words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saw:
    """What the box saw that an answer is compared with; counts of devices alone."""

    own: int
    """Registered as the person's own."""
    others: int
    """Registered as somebody else's at home."""
    new: int
    """First seen since the visit before."""
    unknown: int
    """That nobody has said anything about."""
    quiet: int
    """Registered devices that were quieter than usual."""
    behind: int
    """Signs of a device behind another one, or on the provider's side."""

    def as_dict(self) -> dict[str, int]:
        """For the record of a signed visit."""
        return {
            "own": self.own,
            "others": self.others,
            "new": self.new,
            "unknown": self.unknown,
            "quiet": self.quiet,
            "behind": self.behind,
        }


VERSION = 1
SETS: Mapping[int, tuple[Question, ...]] = {
    1: (
        Question(
            key="own",
            kind="number",
            text=N_("How many devices do you use that can go online?"),
            hint=N_("Phones, computers, tablets, consoles, televisions, watches."),
        ),
        Question(key="others", kind="number", text=N_("How many more belong to others who live here?")),
        Question(
            key="changed",
            kind="choice",
            text=N_(
                "Has anything changed since the last visit: a new, lost, repaired or borrowed device, or provider?"
            ),
            choices=(("no", N_("No")), ("yes", N_("Yes"))),
        ),
        Question(
            key="accounts",
            kind="text",
            text=N_("Which kinds of accounts do you use?"),
            hint=N_("Kinds only, such as e-mail, games or work. Never write down a password."),
        ),
        Question(
            key="shared",
            kind="choice",
            text=N_("Does anyone else use your devices?"),
            choices=(("no", N_("No")), ("sometimes", N_("Sometimes")), ("often", N_("Often"))),
        ),
        Question(
            key="skill",
            kind="choice",
            text=N_("How well do you know your way around devices?"),
            choices=(
                ("help", N_("Needs help with most things")),
                ("everyday", N_("Everyday use")),
                ("confident", N_("Helps others")),
                ("work", N_("Has worked with computers")),
            ),
        ),
        Question(
            key="way",
            kind="choice",
            text=N_("How do your devices reach the internet?"),
            choices=(
                ("home", N_("Through this home's internet alone")),
                ("mobile", N_("Also through mobile data")),
                ("other", N_("Also through other Wi-Fi")),
                ("unsure", N_("Not sure")),
            ),
        ),
    )
}


def questions(version: int) -> tuple[Question, ...]:
    """The questions of a version; of one that is not known here, none."""
    return SETS.get(version, ())


def read(version: int, form: Mapping[str, str]) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Answers by key, and what is wrong: element id and sentence. An answer may be left out."""
    answers: dict[str, str] = {}
    errors: list[tuple[str, str]] = []
    for question in questions(version):
        typed = " ".join(form.get(f"answer-{question.key}", "").split())
        if not typed:
            continue
        wrong = _wrong(question, typed)
        if wrong:
            errors.append((f"answer-{question.key}", wrong))
        answers[question.key] = typed[:MOST_ANSWER]
    return answers, tuple(errors)


def shown(version: int, answers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Questions and answers in words; those that were left out say so."""
    return tuple(
        (_(question.text), _answer(question, answers.get(question.key, ""))) for question in questions(version)
    )


def differences(answers: Mapping[str, str], saw: Saw) -> tuple[str, ...]:
    """Neutral prompts where what was said and what the box saw do not match; empty where they do."""
    found: list[str] = []
    own, others = _number(answers.get("own")), _number(answers.get("others"))
    if own is not None and own != saw.own:
        found.append(_compare(own, saw.own, _("the person's own")))
    if others is not None and others != saw.others:
        found.append(_compare(others, saw.others, _("somebody else's at home")))
    if answers.get("changed") == "no" and saw.new:
        found.append(
            _("Said: nothing has changed.")
            + " "
            + ngettext(
                "The box first saw %(num)s device since the last visit. Ask whose it is; a visitor's looks the same.",
                "The box first saw %(num)s devices since the last visit. Ask whose they are; visitors' look the same.",
                saw.new,
            )
        )
    if answers.get("way") == "home" and saw.quiet:
        found.append(
            _("Said: through this home's internet alone.")
            + " "
            + ngettext(
                "%(num)s registered device was quieter than usual. Ask where it was; it may have been off or away.",
                "%(num)s registered devices were quieter than usual. Ask where they were; they may have been off or away.",
                saw.quiet,
            )
        )
    if answers.get("way") == "home" and saw.behind:
        found.append(
            _("Said: through this home's internet alone.")
            + " "
            + _(
                "The box saw signs of a device behind another one, or on the provider's side. Ask what is plugged in where."
            )
        )
    if answers.get("shared") == "no" and saw.unknown:
        found.append(
            _("Said: nobody else uses the devices.")
            + " "
            + ngettext(
                "Nobody has said whose %(num)s device is. Ask to be shown it.",
                "Nobody has said whose %(num)s devices are. Ask to be shown them.",
                saw.unknown,
            )
        )
    return tuple(found)


def _compare(said: int, seen: int, whose: str) -> str:
    text = ngettext("Said: %(num)s device.", "Said: %(num)s devices.", said)
    seen_text = ngettext(
        "The box has %(num)s registered as %(whose)s.",
        "The box has %(num)s registered as %(whose)s.",
        seen,
        whose=whose,
    )
    return f"{text} {seen_text} " + _("Go through the list together; one may be off, away, or counted twice.")


def _wrong(question: Question, typed: str) -> str:
    if question.kind == "number":
        good = typed.isascii() and typed.isdecimal() and int(typed[:4]) <= MOST_NUMBER and len(typed) <= 4
        return "" if good else _("Enter a whole number from 0 to %(most)s", most=MOST_NUMBER)
    if question.kind == "choice":
        known = {value for value, _text in question.choices}
        return "" if typed in known else _("Select one of the answers")
    if len(typed) > MOST_ANSWER:
        return _("Answer must be %(most)s characters or fewer", most=MOST_ANSWER)
    return "" if typed.isprintable() else _("Answer must only have characters that can be seen")


def _answer(question: Question, value: str) -> str:
    if not value:
        return _("Not asked")
    words = dict(question.choices).get(value)
    return value if words is None else _(words)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= 4 else None
