"""A new box that systemd starts, enrolled by an answer that a telephone brings: to the watching processes and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appliance.fitting import card as cards
from appliance.fitting.places import Places
from appliance.requests import WipeRequest
from firmware import household, layout
from lab.gateway import Wired
from lab.nspawn import Machine, Tree, why_not
from lab.service import wait_until
from wire.enrolment import Uplink
from wire.files import toml_text

NOTICE = 'href="/notice.css"'
"""The porch's pages, not the set-up page's."""

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


@pytest.mark.req("R2", "R6", "R10", "R57")
def test_an_answer_that_a_telephone_brings_starts_the_watching_processes(
    tmp_path: Path, service: Any, as_box: Any
) -> None:
    if (why := why_not()) is not None:
        pytest.skip(why)
    data = tmp_path / "view" / layout.DATA.lstrip("/")
    data.mkdir(parents=True)
    places = Places(root=tmp_path / "view")
    operator = places.at(layout.OPERATOR_FILE)
    operator.parent.mkdir(parents=True)
    operator.write_text(toml_text(service.card))
    with Wired(tmp_path / "household") as home:
        tree = Tree(tmp_path / "tree", {layout.OPERATOR_FILE: operator.read_text()}, masked=("gatehouse-data.service",))
        machine = Machine(tree, home.gateway, data=data, log=tmp_path / "log")
        try:
            machine.wait()
            phone = home.join("registered-laptop")
            phone.lease()
            page = f"http://{household.load(places.at(layout.HOUSEHOLD_FILE)).lan.address}"

            def shown(*words: str) -> str:
                done = phone.run(["curl", "-sS", "--max-time", "5", *words], check=False)
                return str(done.stdout)

            wait_until(lambda: "Claim it" in shown(page), what="the set-up page", seconds=20)
            wait_until(lambda: cards.CSR_FILE and places.at(cards.CSR_FILE).exists(), what="the request", seconds=20)
            assert shown(f"{page}/request.txt").startswith("{")
            box = as_box(places)
            answer = tmp_path / "answer.txt"
            answer.write_bytes(service.answer(box, network=service.network(box, uplink=Uplink()), now=True))
            said = shown("-F", f"answer=@{answer}", f"{page}/answer")
            assert "The box has it" in said, machine.journal()[-3000:]
            wait_until(lambda: places.enrolled, what="the enrolment", seconds=20)
            active = "ActiveState"
            wait_until(
                lambda: machine.show("gatehouse.target", active)[active] == "active",
                what=f"the watching processes\n{machine.journal()[-3000:]}",
                seconds=90,
            )
            for name in ("warden", "sensor", "keeper", "courier", "resolver"):
                wait_until(lambda name=name: machine.main_pid(f"gatehouse-{name}.service"), what=name, seconds=30)
            wait_until(lambda: NOTICE in shown(page), what="the notice", seconds=30)
            assert not places.at(layout.LABEL_FILE).exists()
            assert machine.show("gatehouse-fitting.service", active)[active] == "inactive"
            assert machine.show("gatehouse-fitting-keys.service", active)[active] == "inactive"
            assert machine.systemctl("--failed") == "", machine.journal()[-3000:]
            _wiped(machine, places)
            assert shown(page) == "", "nobody serves a page any more"
            assert phone.lease().address in household.load(places.at(layout.HOUSEHOLD_FILE)).lan.network
        finally:
            machine.stop()
            tree.close()


def _wiped(machine: Machine, places: Places) -> None:
    """The keeper asks root, as it does when it has said its last words; the family's side goes on."""
    asked = WipeRequest(request_id="removal-1", at=1.0, removal_id="removal-1").model_dump_json()
    folder, uid = f"{layout.RUN}/requests", layout.UIDS["keeper"]
    script = f"umask 077; printf %s '{asked}' > {folder}/.new && mv {folder}/.new {folder}/wipe.json"
    machine.run(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--", "sh", "-c", script])
    wait_until(lambda: not places.enrolled, what="the wipe", seconds=40)
    unit = "gatehouse-request@wipe.service"
    wait_until(lambda: machine.show(unit, "ActiveState")["ActiveState"] == "inactive", what="its end", seconds=30)
    data = places.at(layout.DATA)
    left = {f"{layout.DATA}/{path.relative_to(data).as_posix()}" for path in data.rglob("*") if path.is_file()}
    assert left == {layout.HOUSEHOLD_FILE, layout.PASSPHRASE_FILE}, machine.journal()[-3000:]
    for name in ("nftables", "dnsmasq"):
        assert machine.show(f"{name}.service", "ActiveState")["ActiveState"] == "active"
    assert "Example Service" not in machine.run(["sh", "-c", "grep -rs . /run/gatehouse || true"]).stdout
