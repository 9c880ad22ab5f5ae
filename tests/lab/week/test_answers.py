"""What the story's resolver answers is read by the real parser, and leads where connections go."""

from __future__ import annotations

import pytest

from appliance.sensor.packet import dns
from lab.week import answers


@pytest.mark.parametrize(("kind", "number"), [("A", dns.A), ("AAAA", dns.AAAA), ("HTTPS", dns.HTTPS)])
def test_an_answer_is_read_and_repeats_its_question(kind: str, number: int) -> None:
    told = dns.parse(answers.answer("www.news.example", kind, transaction=77))
    assert told.response
    assert told.id == 77
    assert [(question.name, question.qtype) for question in told.questions] == [("www.news.example", number)]
    assert told.answers[-1].rtype == number


def test_a_name_lives_where_its_answer_says() -> None:
    told = dns.parse(answers.answer("www.shop.example", "A", transaction=1))
    lives = answers.place("www.shop.example")
    assert told.answers[-1].value == str(lives.ip4)
    assert lives == answers.place("WWW.shop.example.")


def test_some_names_are_aliases_into_a_content_network() -> None:
    names = [f"site-{number}.example" for number in range(30)]
    aliases = {name: answers.place(name).alias for name in names}
    assert 5 < sum(alias is not None for alias in aliases.values()) < 20
    name, alias = next((name, alias) for name, alias in aliases.items() if alias is not None)
    told = dns.parse(answers.answer(name, "A", transaction=1))
    assert [(record.name, record.rtype) for record in told.answers] == [(name, dns.CNAME), (alias, dns.A)]


@pytest.mark.parametrize("name", sorted(answers.NOT_THERE))
def test_what_is_not_there_has_no_answer(name: str) -> None:
    assert dns.parse(answers.answer(name, "A", transaction=1)).answers == ()
