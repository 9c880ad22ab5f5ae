"""The project's own rules, held by tests: sizes, words, mirrored tests, lists that must agree."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("appliance", "bench", "dashboard", "firmware", "lab", "wire")
TEXT = {".py", ".md", ".toml", ".html", ".css", ".j2", ".txt", ".js", ".json", ".cfg", ".sh", ""}
IGNORED = {".git", ".venv", "build", "artefacts", "__pycache__", "node_modules"}
LONGEST_MODULE = 400

# lab and bench are apparatus: what they do is proved by the tests and measurements that use them.
MIRRORED = ("appliance", "dashboard", "firmware", "wire")

# Modules whose test stands elsewhere, each with the reason.
NOT_AT_RUN_TIME = {".py", ".mako", ".scss", ".sh"}
"""Sources, and what styles and migrations are made with."""
TESTED_ELSEWHERE: dict[str, str] = {
    "appliance/cli/health.py": "after the request that it proves: tests/upkeep/test_serving.py",
    "appliance/cli/release.py": "with RAUC itself: tests/upkeep/test_bundle.py",
    "appliance/cli/serve_request.py": "with the requests it serves: tests/upkeep/test_serving.py",
    "appliance/cli/upkeep.py": "as cli/health.py",
    "dashboard/pages/software_words.py": "with the pages: tests/dashboard/pages/test_software.py",
    "dashboard/settings_software.py": "as pages/software_words.py",
    "dashboard/store/fleet.py": "on both databases with the rounds: tests/dashboard/ingest/test_releases.py",
    "dashboard/store/releases.py": "as store/fleet.py",
    "dashboard/api/__main__.py": "prints what tests/dashboard/api/test_complete.py compares",
    "dashboard/api/acts_table.py": "held to the pages' forms in tests/dashboard/api/test_complete.py",
    "dashboard/api/listing.py": "through the operations: tests/dashboard/api/test_reads.py and test_paging.py",
    "dashboard/api/models.py": "every answer is compared with its model in tests/dashboard/api/test_fuzz.py",
    "dashboard/api/reads_devices.py": "with reads.py in tests/dashboard/api/test_reads.py, and test_fuzz.py",
    "dashboard/api/reads_law.py": "as reads_devices.py",
    "dashboard/cli_database.py": "as the commands they are: tests/dashboard/test_cli.py",
    "dashboard/demo/box.py": "answers as a box does: through the pages in tests/dashboard/pages/test_demo.py",
    "dashboard/demo/scope.py": "as dashboard/demo/box.py",
    "dashboard/demo/story.py": "as dashboard/demo/box.py",
    "dashboard/pages/offline.py": "tests/dashboard/pages/test_visit.py, and without a connection in tests/browser/test_visit.py",
    "dashboard/pages/papers.py": "each paper is made in tests/dashboard/pages/test_visit.py and test_visits.py",
    "dashboard/pages/proving.py": "with the account it proves: tests/dashboard/pages/test_account.py",
    "dashboard/pages/shared.py": "read as a stranger in tests/dashboard/pages/test_shares.py",
    "dashboard/pages/summary.py": "tests/dashboard/pages/test_visit.py, as it speaks of visits",
    "dashboard/pages/transfers.py": "together with transfer.py in tests/dashboard/pages/test_transfer.py",
    "dashboard/pages/visit_record.py": "what is signed: tests/dashboard/pages/test_visit.py",
    "dashboard/pages/visit_sign.py": "tests/dashboard/pages/test_visit.py",
    "dashboard/pages/visiting.py": "through the pages in tests/dashboard/pages/test_visit.py and test_visits.py",
    "dashboard/store/shares.py": "through the pages in tests/dashboard/pages/test_shares.py",
    "dashboard/store/transfers.py": "between two services in tests/dashboard/transfer/test_round_trip.py",
    "dashboard/transfer/collect.py": "tests/dashboard/transfer/test_round_trip.py",
    "dashboard/transfer/take.py": "tests/dashboard/transfer/test_round_trip.py",
    "dashboard/transfer/work.py": "tests/dashboard/transfer/test_round_trip.py",
    "appliance/sensor/talk.py": "makes the facts that the tests of datagrams.py and connections.py look at",
    "appliance/keeper/law/counsel.py": "puts the parts of the law together: run by the tests of each in tests/keeper/law",
    "appliance/keeper/law/telling.py": "what the other parts of the law tell, compared in their tests",
    "dashboard/pages/acting.py": "makes forms of act_forms.py: tests/dashboard/pages/test_law.py, through the pages",
    "dashboard/pages/install_box.py": "through the pages: tests/dashboard/pages/test_install.py",
    "dashboard/pages/install_devices.py": "through the pages: tests/dashboard/pages/test_install_home.py",
    "dashboard/pages/install_frame.py": "through the pages: tests/dashboard/pages/test_install.py",
    "dashboard/pages/install_papers.py": "through the pages: tests/dashboard/pages/test_install_order.py",
    "dashboard/pages/install_people.py": "as install_papers.py",
    "dashboard/pages/clauses.py": "every clause is shown in tests/dashboard/pages/test_law.py",
    "dashboard/pages/orders_box.py": "every order is said in tests/dashboard/pages/test_orders.py",
    "dashboard/pages/orders_law.py": "every act is said in tests/dashboard/pages/test_orders.py",
    "appliance/clock.py": "two lines around the system's clocks; everything else takes time as an argument",
    "appliance/courier/broker.py": "paho against a real broker: tests/dashboard/ingest/test_exchange.py",
    "appliance/keeper/store/schema/household.py": "run by the tests of appliance/keeper/store/database.py",
    "appliance/keeper/store/schema/household_side.py": "run by the tests of appliance/keeper/store/household_side.py",
    "appliance/keeper/law/holds.py": "in a whole keeper: tests/keeper/law/test_purging.py",
    "appliance/keeper/law/keeping.py": "as holds.py",
    "appliance/keeper/store/purge.py": "as holds.py",
    "appliance/keeper/store/schema/keeping.py": "run by the tests of appliance/keeper/store/holds.py",
    "appliance/keeper/store/schema/vault.py": "run by the tests of appliance/keeper/store/vault.py",
    "appliance/keeper/store/schema/lists.py": "as household.py",
    "appliance/keeper/store/schema/rhythm.py": "as household.py",
    "dashboard/broker/process.py": "starts the broker of tests/dashboard/ingest and of tests/dashboard/broker",
    "dashboard/clock.py": "as appliance/clock.py",
    "dashboard/alerts/collector.py": "over real sockets: tests/dashboard/alerts/test_feeding.py",
    "dashboard/alerts/__main__.py": "as a process of its own: tests/dashboard/alerts/test_process.py",
    "dashboard/alerts/texts.py": "each text is read in tests/dashboard/alerts/test_rounds.py",
    "dashboard/store/alerting.py": "whole rounds over it: tests/dashboard/alerts/test_rounds.py",
    "dashboard/store/channels.py": "through its page: tests/dashboard/pages/test_alerts.py",
    "dashboard/store/deliveries.py": "as dashboard/store/alerting.py",
    "dashboard/store/duty.py": "through its pages: tests/dashboard/pages/test_duty.py and test_planned.py",
    "dashboard/store/feed.py": "as dashboard/alerts/collector.py",
    "dashboard/store/listed.py": "through its page: tests/dashboard/pages/test_listed.py",
    "dashboard/store/monthly.py": "counted and kept in tests/dashboard/pages/test_monthly.py",
    "dashboard/store/team.py": "through its page: tests/dashboard/pages/test_team.py",
    "dashboard/store/trail.py": "through its page: tests/dashboard/pages/test_trail.py",
    "dashboard/pages/today_read.py": "through its page: tests/dashboard/pages/test_today.py",
    "dashboard/ingest/__main__.py": "as a process of its own: tests/dashboard/ingest/test_exchange.py",
    "dashboard/ingest/session.py": "paho against a real broker: tests/dashboard/ingest/test_exchange.py",
    "dashboard/store/migrations/versions/0001_tables_of_the_first_version.py": "run by the tests of dashboard/store/migrate.py",
    "dashboard/store/migrations/versions/0002_devices_of_many_addresses.py": "as 0001",
    "dashboard/store/migrations/versions/0003_events_not_read_yet.py": "as 0001",
    "dashboard/store/migrations/versions/0005_law_and_ledger.py": "as 0001",
    "dashboard/store/migrations/versions/0014_enrolment.py": "as 0001",
    "dashboard/store/migrations/versions/0015_software.py": "as 0001",
    "dashboard/store/migrations/versions/0006_access.py": "run by the tests of dashboard/store/migrate.py",
    "dashboard/store/migrations/versions/0007_tokens.py": "run by the tests of dashboard/store/migrate.py",
    "dashboard/store/migrations/versions/0008_reviews.py": "run by the tests of dashboard/store/migrate.py",
    "dashboard/store/migrations/versions/0009_cases.py": "run by the tests of dashboard/store/migrate.py",
    "dashboard/store/migrations/versions/0010_visits.py": "run by the tests of dashboard/store/migrate.py",
    "dashboard/store/migrations/versions/0011_installs.py": "run by the tests of dashboard/store/migrate.py",
    "dashboard/store/migrations/versions/0012_alerts.py": "run by the tests of dashboard/store/migrate.py",
    "dashboard/store/migrations/versions/0013_platform.py": "run by the tests of dashboard/store/migrate.py",
    "dashboard/store/migrations/versions/0004_signs_and_arrangements.py": "as 0001",
    "appliance/cli/label.py": "as the command it is: tests/fitting/test_cli.py",
    "appliance/cli/look.py": "with what it runs: tests/fitting/test_looking.py",
    "appliance/cli/wipe.py": "with what it runs: tests/fitting/test_wipe.py",
    "appliance/fitting/answer.py": "read, planned and put in place: tests/fitting/test_taking.py",
    "appliance/fitting/card.py": "made and made again: tests/fitting/test_first.py",
    "appliance/fitting/keys.py": "as card.py",
    "appliance/fitting/places.py": "as card.py",
    "firmware/names.py": "constants; the renderings that use them are compared in tests/firmware/test_render.py",
}


def files(*suffixes: str) -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if any(part in IGNORED or part.endswith((".egg-info", "_cache")) or part == ".hypothesis" for part in parts):
            continue
        if path.is_file() and path.suffix in (suffixes or TEXT) and not path.name.startswith(".coverage"):
            yield path


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines_with(pattern: str, *, but: str | None = None) -> list[str]:
    """Lines of all our texts that match; this file, which holds the patterns, is left out."""
    return [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in files()
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if re.search(pattern, line) and not (but and re.search(but, line))
    ]


def sources() -> Iterator[Path]:
    return (path for path in files(".py") if name_of(path).split("/")[0] in PACKAGES)


def pyproject() -> dict[str, dict[str, dict[str, list[str]]]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def load_tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tool_{name}", ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_module_is_too_long() -> None:
    long = {
        name_of(path): count for path in files(".py") if (count := len(path.read_text().splitlines())) > LONGEST_MODULE
    }
    assert not long


@pytest.mark.req("R63", "R52")
def test_the_word_that_is_not_the_box_s_to_use_is_nowhere() -> None:
    found = lines_with(r"(?i)breach")
    assert not [line for line in found if not line.startswith("tests/")]  # tests say that it is not there


def test_no_word_betrays_unfinished_work() -> None:
    assert not lines_with(
        r"\b(TODO|FIXME|XXX|NotImplementedError|not implemented|placeholder|stub)\b", but="placeholder="
    )


def test_no_secret_and_no_path_of_a_machine() -> None:
    assert not lines_with(r"BEGIN (RSA |EC |OPENSSH )?PRIVATE KEY-|(^|[^A-Za-z0-9_.])/(work|farm|root)/\w")


def test_readme_names_both_commands_and_only_real_targets() -> None:
    readme = (ROOT / "README.md").read_text()
    assert {"make demo", "make test"} <= set(re.findall(r"make [a-z]+", readme))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    mentioned = {
        target
        for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"))
        for target in re.findall(r"(?:^    |`)make ([a-z]+)", path.read_text(), re.MULTILINE)
    }
    assert mentioned <= targets
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_links_between_documents_lead_somewhere() -> None:
    dead = [
        f"{name_of(path)}: {target}"
        for path in files(".md")
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", path.read_text())
        if not (path.parent / target).exists()
    ]
    assert not dead


def test_every_package_is_listed() -> None:
    there = {name_of(path.parent).replace("/", ".") for path in sources() if path.name == "__init__.py"}
    assert set(pyproject()["tool"]["setuptools"]["packages"]) == there
    folders = {name_of(path.parent).replace("/", ".") for path in sources()}
    assert folders == there, "a folder of modules without __init__.py"


def test_every_data_file_goes_into_the_wheel() -> None:
    there = {
        path
        for package in {part.split(".")[0] for part in pyproject()["tool"]["setuptools"]["packages"]}
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in NOT_AT_RUN_TIME and "__pycache__" not in path.parts
    }
    taken = {
        path
        for package, patterns in pyproject()["tool"]["setuptools"]["package-data"].items()
        for pattern in patterns
        for folder in (pyproject()["tool"]["setuptools"]["packages"] if package == "*" else [package])
        for path in (ROOT / folder.replace(".", "/")).glob(pattern)
    }
    assert {name_of(path) for path in there - taken} == set()


def test_every_module_says_what_it_is_about() -> None:
    assert not [name_of(path) for path in sources() if ast.get_docstring(ast.parse(path.read_text())) is None]


def test_decisions_have_their_three_parts() -> None:
    found = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in found] == list(range(1, len(found) + 1))
    for path in found:
        titles = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
        assert titles[0].startswith(f"{int(path.name[:4])}. "), path.name
        assert titles[1:] == ["Context", "Decision", "Consequences"], path.name


def test_every_debian_package_has_a_reason() -> None:
    lines = [
        line for line in (ROOT / "tools" / "apt-packages.txt").read_text().splitlines() if not line.startswith("#")
    ]
    assert lines
    assert not [line for line in lines if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+ +# .+", line)]
    assert lines == sorted(lines)


def test_lock_pins_every_package_with_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==\S+", lock, re.MULTILINE))
    project = pyproject()["project"]
    wanted = [
        *project["dependencies"],
        *(item for extra in project["optional-dependencies"].values() for item in extra),
    ]
    names = {re.split(r"[\[<>=~! ;]", item)[0].lower() for item in wanted}
    assert names <= pinned
    assert "setuptools" in pinned, "the project itself is built with it, and nothing unchecked is fetched"
    blocks = re.split(r"^(?=[a-z0-9-]+==)", lock, flags=re.MULTILINE)[1:]
    assert not [block.split("=")[0] for block in blocks if "--hash=sha256:" not in block]


def mirror_of(path: Path) -> str:
    """Where the test of a module stands."""
    parts = list(path.relative_to(ROOT).parts)
    if parts[0] == "appliance":
        parts = parts[1:]
    stem = Path(parts[-1]).stem.strip("_")
    return "/".join(["tests", *parts[:-1], f"test_{'main' if stem == 'init' else stem}.py"])


def has_logic(path: Path) -> bool:
    """Whether anything in there can go wrong: a function, or a class with one."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(ast.parse(path.read_text()))
    )


def test_tests_mirror_sources() -> None:
    missing = {
        name_of(path)
        for path in sources()
        if name_of(path).startswith(MIRRORED) and has_logic(path) and not (ROOT / mirror_of(path)).exists()
    }
    assert sorted(missing - set(TESTED_ELSEWHERE)) == [], "modules without a test, or an exemption with its reason"
    assert sorted(set(TESTED_ELSEWHERE) - missing) == [], "exemptions that are no longer needed"


def test_every_test_asserts_something() -> None:
    assert not [
        f"{name_of(path)}::{node.name}"
        for path in files(".py")
        if name_of(path).startswith("tests/")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not _asserts(node)
    ]


def _asserts(test: ast.FunctionDef) -> bool:
    """An assert, or a call whose name says that it holds or waits for something.

    A property over arbitrary input (`@given`) may also be that nothing but a ParseError is raised.
    """
    held = ("raises", "assert", "expect", "wait", "check", "fail", "warns", "until")
    for node in ast.walk(test):
        if isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant):
            return True
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == "given" or called.startswith(held):
                return True
    return False


def test_every_requirement_named_by_a_test_exists() -> None:
    tool = load_tool("requirements")
    by = tool.proofs()
    assert by
    assert not set(by) - set(tool.known())


def test_requirement_ids_are_complete() -> None:
    known = load_tool("requirements").known()
    wanted = [
        f"{letter}{number}"
        for letter, last in (("R", 78), ("N", 18), ("S", 8), ("D", 18))
        for number in range(1, last + 1)
    ]
    assert list(known) == wanted
    assert {about["level"] for about in known.values()} == {"must", "should", "could", "limit"}


def test_requirement_table_tells_tested_from_untested(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "tests" / "a").mkdir(parents=True)
    (tmp_path / "docs" / "requirements.toml").write_text(
        'R1 = { level = "must", text = "One." }\nR2 = { level = "must", text = "Two." }\n'
    )
    (tmp_path / "tests" / "a" / "test_b.py").write_text(
        'import pytest\npytestmark = pytest.mark.lab\n\n@pytest.mark.req("R1", "R9")\ndef test_c(): assert c\n'
        'class TestD:\n    @pytest.mark.req("R1")\n    def test_e(self): assert e\n'
    )
    tool = load_tool("requirements")
    by = tool.proofs(tmp_path)
    assert by == {
        "R1": ["tests/a/test_b.py::test_c", "tests/a/test_b.py::TestD::test_e"],
        "R9": ["tests/a/test_b.py::test_c"],
    }
    table = "\n".join(tool.lines(tool.known(tmp_path), by))
    assert re.search(r"^R1 +must +has tests +One\.$", table, re.MULTILINE)
    assert re.search(r"^R2 +must +no test yet +Two\.$", table, re.MULTILINE)
    assert "officers' needs: 1 of 2 have a test" in table


def test_runs_on_the_pythons_of_debian() -> None:
    assert pyproject()["project"]["requires-python"] == ">=3.11"
    assert sys.version_info >= (3, 11)
