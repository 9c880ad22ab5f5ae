from __future__ import annotations

from pathlib import Path

from appliance.upkeep.box import install, octets


def test_the_installers_percentages_are_handed_on(tmp_path: Path) -> None:
    script = tmp_path / "installer"
    script.write_text('#!/bin/sh\necho "  0% a"\necho " 40% b"\necho "LastError: no room left."\nexit ${1:-0}\n')
    script.chmod(0o755)
    seen: list[int] = []
    assert install([str(script)], seen.append) == ""
    assert seen == [0, 40]
    assert install([str(script), "1"], seen.append) == "LastError: no room left"
    assert "No such file" in install([str(tmp_path / "none")], seen.append)
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    assert install([str(slow)], seen.append, seconds=0.05) != ""


def test_octets_of_an_interface(tmp_path: Path) -> None:
    folder = tmp_path / "class/net/eth0/statistics"
    folder.mkdir(parents=True)
    assert octets("eth0", tmp_path) is None
    (folder / "rx_bytes").write_text("5\n")
    (folder / "tx_bytes").write_text("7\n")
    assert octets("eth0", tmp_path) == 12
