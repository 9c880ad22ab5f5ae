"""What can come of a finding: closed sets of actions, outcomes, purposes and headings, as they are stored.

The words for them are in `dashboard.pages.deciding`; an operator may name outcomes in its own words.
"""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What whoever looked at a finding did about it."""

    REGISTER = "register"
    """Said what the device is, or answered the box otherwise."""
    ASK = "ask"
    """Will ask the person; it comes back on a day."""
    REFER = "refer"
    """Gave it to another account of the team."""
    NONE = "none"
    """Nothing is to be done."""


class Outcome(StrEnum):
    """What the finding turned out to be. Said by a person, about devices and services; never by the box."""

    EXPLAINED = "explained"
    REGISTERED = "registered"
    VISITOR = "visitor"
    WORK = "work"
    HOUSEHOLD = "household"
    SAME_DEVICE = "same-device"
    BY_ITSELF = "by-itself"
    NOT_RELEVANT = "not-relevant"
    LIST_WRONG = "list-wrong"
    BOX_FAULT = "box-fault"
    TALKED_OVER = "talked-over"
    MORE_NEEDED = "more-needed"
    UNCLEAR = "unclear"


WRONG_HERE = frozenset({Outcome.NOT_RELEVANT, Outcome.LIST_WRONG})
"""Outcomes that are counted for whoever answers for a list (R30)."""


class Purpose(StrEnum):
    """What the act served (R50)."""

    PREVENTION = "prevention"
    DETECTION = "detection"


class Heading(StrEnum):
    """Headings of the structured risk review (S3). A person tags; nothing is scored."""

    OPPORTUNITY = "opportunity"
    PREOCCUPATION = "sexual-preoccupation"
    INTERESTS = "offence-related-interests"
    CONGRUENCE = "emotion-congruence"
    HOSTILE = "hostile-orientation"
    SELF_MANAGEMENT = "self-management"
    SOCIAL_INFLUENCES = "social-influences"
    COMMITMENT = "commitment-to-desist"
    RELATIONSHIP = "intimate-relationship"
    ROUTINE = "employment-or-routine"
    INVESTMENT = "social-investment"


class State(StrEnum):
    """How a decision stands."""

    SETTLED = "settled"
    FOLLOW_UP = "follow-up"
    REFERRED = "referred"
    SECOND = "second"
    """Waits for somebody else to look and agree."""
    REOPENED = "reopened"


WAITING = (State.FOLLOW_UP, State.REFERRED, State.SECOND)
"""States in which something is still to come."""
