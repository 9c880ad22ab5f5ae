"""A box that nobody enrolled yet, from the first start of its units to the set-up page on a telephone of the home."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware import household, layout
from lab.gateway import Wired
from lab.nspawn import Machine, Tree, why_not
from lab.pki import CertificateAuthority
from lab.service import wait_until
from wire.enrolment import OperatorCard
from wire.files import toml_text
from wire.keys import public_text

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


def _operator(folder: Path) -> str:
    key = public_text(Ed25519PrivateKey.generate())
    card = OperatorCard(
        tenant="example",
        operator="Demonstration Constabulary",
        contact="Ask the officer in charge: 01632 960000",
        enrol_url="https://enrol.example:8443",
        dashboard_url="https://dashboard.example",
        ca=CertificateAuthority(folder).certificate_path.read_text(),
        server_verify=(key,),
        issuers=(key,),
        release_keys=(key,),
        country="GB",
    )
    return toml_text(card)


@pytest.mark.req("R1", "R10", "R57", "R69")
def test_a_new_box_makes_its_keys_serves_the_home_and_shows_how_to_set_it_up(tmp_path: Path) -> None:
    if (why := why_not()) is not None:
        pytest.skip(why)
    with Wired(tmp_path / "household") as home:
        tree = Tree(
            tmp_path / "tree",
            {layout.OPERATOR_FILE: _operator(tmp_path / "pki")},
            masked=("gatehouse-data.service",),
        )
        data = tmp_path / "data"
        data.mkdir()
        box = Machine(tree, home.gateway, data=data, log=tmp_path / "log")
        try:
            state = box.wait()
            said = box.journal()
            assert (state, box.systemctl("--failed")) == ("running", ""), said[-3000:]
            assert "ordering cycle" not in said
            keys = {path: data / Path(path).relative_to(layout.DATA) for path in (layout.SIGNING_KEY, layout.TLS_KEY)}
            owners = [layout.UIDS["keeper"], layout.UIDS["courier"]]
            assert [path.stat().st_uid for path in keys.values()] == owners
            assert {path.stat().st_mode & 0o777 for path in keys.values()} == {0o600}
            label = (data / Path(layout.LABEL_FILE).relative_to(layout.DATA)).read_text()
            assert not [word for word in label.split() if len(word) > 12 and word in said], "no secret in the journal"
            assert box.show("gatehouse.target", "ActiveState")["ActiveState"] == "inactive"
            assert box.main_pid("gatehouse-fitting-keys.service")
            chosen = household.load(data / Path(layout.HOUSEHOLD_FILE).relative_to(layout.DATA))
            device = home.join("registered-laptop")
            lease = device.lease()
            assert lease.address in chosen.lan.network
            page = f"http://{chosen.lan.address}/"

            def shown() -> bool:
                done = device.run(["curl", "-sS", "--max-time", "5", page], check=False)
                return "Demonstration Constabulary" in done.stdout

            wait_until(shown, what="the set-up page", seconds=20)
            front = box.main_pid("gatehouse-fitting.service")
            status = box.run(["cat", f"/proc/{front}/status"]).stdout
            assert f"Uid:\t{layout.UIDS['fitting']}\t" in status
            assert "CapEff:\t0000000000000000" in status
        finally:
            box.stop()
            tree.close()
