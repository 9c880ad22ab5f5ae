"""What the documents for people outside promise: model clauses that name nobody's product, and no lesson in evasion."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from lab.tools import around
from wire.authority import AllowOnlyClause, BlockClause, Clause, CollectClause, QuarantineClause, RegisterClause

DOCS = Path(__file__).resolve().parent.parent / "docs"
PORCH = Path(__file__).resolve().parent.parent / "appliance" / "porch"
OUTSIDE = (*(DOCS / name for name in ("household.md", "courts.md", "officers.md", "clauses.md")), *PORCH.glob("*.html"))
TECHNIQUES = ("vpn", "dns", "tls", "https", "wi-fi", "router's rules", "ip address", "mac address", "firewall", "quic")


def quoted() -> list[str]:
    """The wording of each model clause."""
    text = (DOCS / "clauses.md").read_text()
    return [block.replace("\n> ", " ").removeprefix("> ") for block in re.findall(r"(?:^> .*\n)+", text, re.MULTILINE)]


@pytest.mark.req("R70")
def test_a_model_clause_names_no_technique_and_no_product() -> None:
    clauses = quoted()
    everyday = {"connect", "noise", "relay", "upstream", "discovery", "canary"}
    products = {tool.name.partition("-")[0] for tool in around.TOOLS} - everyday
    assert len(clauses) == 9
    for clause in clauses:
        words = clause.lower()
        assert not [word for word in (*TECHNIQUES, *products) if re.search(rf"\b{re.escape(word)}\b", words)], clause
        assert re.search(r"must not|may|are kept", words), "it forbids, or it allows"


@pytest.mark.req("R70", "N1")
def test_the_parts_of_the_document_that_the_clauses_name_exist() -> None:
    text = (DOCS / "clauses.md").read_text()
    kinds = {model.model_fields["kind"].default for model in get_args(get_args(Clause)[0])}
    for model in (RegisterClause, CollectClause, BlockClause, AllowOnlyClause, QuarantineClause):
        assert f"`{model.model_fields['kind'].default}`" in text
    named = set(re.findall(r"In the document: `([a-z-]+)`", text))
    assert named <= kinds | {"retention"}


@pytest.mark.req("R75")
@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: path.name)
def test_what_people_outside_read_names_no_program_that_goes_round(path: Path) -> None:
    words = path.read_text().lower()
    programs = ("openvpn", "wireguard", "shadowsocks", "iodine", "stubby", "tor browser", "obfs4", "microsocks")
    assert not [name for name in programs if name in words]
    assert not re.search(r"how to (get|go) round|change (the|your) mac|turn off the box without", words)
