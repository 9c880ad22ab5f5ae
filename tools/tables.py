#!/usr/bin/env python3
"""Packs the tables that a fingerprint needs out of published packages; run by tools/setup.

    python tools/tables.py [--oui FILE] [--homeassistant FILE] [--iab FILE] [--into FOLDER]

Enters: npm `oui-data` and the Python package `homeassistant`, each pinned by a digest; the IAB rows of
Debian's `ieee-data`, whichever version is installed; nothing of them is run. Leaves: vendors.bin,
services.json and a licence, in FOLDER. Files that are given are taken in place of fetched ones and must
have the same digests. Without `ieee-data` the table lacks the blocks of 4096 addresses given out until 2014.
A second run finds the stamp and the tables and ends at once, but where `ieee-data` has come since.
Exit codes: 0 ready, 13 no network, 15 another fault.
"""

from __future__ import annotations

import argparse
import ast
import base64
import hashlib
import io
import json
import struct
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
INTO = ROOT / "appliance" / "keeper" / "devices" / "fingerprint" / "tables"
IAB = Path("/usr/share/ieee-data/iab.txt")
OUI_URL = "https://registry.npmjs.org/oui-data/-/oui-data-2.1.9.tgz"
OUI_SHA512 = "2e1a/eoOuGzAsY6S+/PVf9aXeafL8FkCyU+LXL2yNHm6jZVQx7fiu4Yu/3wWvHjQ0I6m+flmo7UeFg670zWvsw=="
HASS = "2026.11.0"
HASS_SHA256 = "7ca5fbde9dea879ac7723949fc84347aac5182e6309c357b2e4973fd391b00f7"
STAMP = ".stamp"
TABLES = ("vendors.bin", "services.json", "services.LICENSE.md")
_NOBODY = {"IEEE Registration Authority", "Private", "ICANN, IANA Department"}
"""Blocks that are only subdivided, owners who asked not to be named, and protocols' own addresses tell nothing."""
_FETCH_SECONDS = 60
_MOST = 64 * 1024 * 1024
_LICENCE = f"homeassistant-{HASS}.dist-info/licenses/LICENSE.md"


class TablesError(Exception):
    """A table cannot be made; the text says what to do."""


class OfflineError(TablesError):
    """The network is missing."""


def main(arguments: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--oui", type=Path, help="oui-data-2.1.9.tgz")
    parser.add_argument("--homeassistant", type=Path, help="the wheel of homeassistant")
    parser.add_argument("--iab", type=Path, default=IAB, help="iab.txt of ieee-data")
    parser.add_argument("--into", type=Path, default=INTO)
    given = parser.parse_args(arguments)
    blocks = given.iab.is_file()
    if _is_done(given.into, blocks=blocks):
        return 0
    try:
        oui, iab = _oui(given.oui), _iab(given.iab) if blocks else []
        generated, licence = _homeassistant(given.homeassistant)
        given.into.mkdir(parents=True, exist_ok=True)
        vendors = pack_vendors(oui, iab)
        services = json.dumps(pack_services(**generated), indent=1, sort_keys=True) + "\n"
    except OfflineError as error:
        sys.stderr.write(f"tables: {error}\n        Check the network, then run this again.\n")
        return 13
    except (TablesError, OSError, ValueError, KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        sys.stderr.write(f"tables: {error}\n")
        return 15
    for name, content in zip(TABLES, (vendors, services.encode(), licence), strict=True):
        _write(given.into / name, content)
    _write(given.into / STAMP, _stamp(blocks=blocks).encode())
    if not blocks:
        sys.stdout.write(f"tables: {given.iab} is missing (Debian's ieee-data): packed without its blocks\n")
    sys.stdout.write(f"tables: {len(vendors):,} octets of owners, {len(services):,} of services\n")
    return 0


def _stamp(*, blocks: bool) -> str:
    return f"{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()} {'with' if blocks else 'without'} blocks"


def _is_done(into: Path, *, blocks: bool) -> bool:
    """Whether all tables are there, of this version, and no poorer than they could be now."""
    if not all((into / name).is_file() for name in (STAMP, *TABLES)):
        return False
    # Blocks that were packed stay good when the package has gone.
    return (into / STAMP).read_text() in {_stamp(blocks=True), _stamp(blocks=blocks)}


def _write(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    new.chmod(0o644)
    new.replace(path)


# --- owners of prefixes ---------------------------------------------------------------------------


def _oui(given: Path | None) -> dict[str, str]:
    """The JSON object of `oui-data`: a prefix of 6, 7 or 9 hexadecimal digits, and owner with address."""
    data = given.read_bytes() if given else _fetch(OUI_URL)
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != OUI_SHA512:
        raise TablesError("oui-data-2.1.9.tgz is not the file it should be (SHA-512 differs).")
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        member = archive.extractfile("package/index.json")
        if member is None:
            raise TablesError("oui-data has no index.json.")
        content: dict[str, str] = json.loads(member.read(_MOST))
    return content


def _fetch(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_FETCH_SECONDS) as answer:  # noqa: S310 - a constant https address
            data: bytes = answer.read(_MOST)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise OfflineError(f"{url} cannot be fetched: {error}.") from error
    return data


def _iab(path: Path) -> list[tuple[str, str]]:
    """Prefixes of 9 hexadecimal digits and owners, of blocks of 4096 addresses given out until 2014."""
    return iab_rows(path.read_text(encoding="utf-8", errors="replace"))


def iab_rows(text: str) -> list[tuple[str, str]]:
    """Rows of iab.txt: a line with the OUI, then one with the range and the owner."""
    rows: list[tuple[str, str]] = []
    oui = ""
    for line in text.splitlines():
        if "(hex)" in line:
            oui = line[:8].replace("-", "").upper()
        elif "(base 16)" in line and len(oui) == 6:
            bounds, _, owner = line.partition("(base 16)")
            first = bounds.strip().partition("-")[0]
            if len(first) == 6 and first.endswith("000") and owner.strip():
                rows.append((oui + first[:3].upper(), owner.strip()))
    return rows


def pack_vendors(oui: Mapping[str, str], iab: Iterable[tuple[str, str]]) -> bytes:
    """The table of `appliance/keeper/devices/fingerprint/vendors.py`; newer rows of 36 bits win over IABs."""
    widths: dict[int, dict[int, str]] = {9: {}, 7: {}, 6: {}}
    for prefix, owner in (*iab, *((key, value.partition("\n")[0]) for key, value in oui.items())):
        name = " ".join(owner.split()).replace("\0", "")
        if len(prefix) in widths and name and name not in _NOBODY:
            widths[len(prefix)][int(prefix, 16)] = name
    names = bytearray()
    offsets: dict[str, int] = {}
    for owners in widths.values():
        for name in owners.values():
            if name not in offsets:
                offsets[name] = len(names)
                names += name.encode() + b"\0"
    packed = struct.pack("<4s4I", b"GHV1", *(len(owners) for owners in widths.values()), len(names))
    for owners in widths.values():
        ordered = sorted(owners)
        packed += b"".join(prefix.to_bytes(8, "big") for prefix in ordered)
        packed += b"".join(struct.pack("<I", offsets[owners[prefix]]) for prefix in ordered)
    return packed + bytes(names)


# --- services ---------------------------------------------------------------------------------------


def _homeassistant(given: Path | None) -> tuple[dict[str, Any], bytes]:
    """The three generated tables of the wheel, read as literals, and its licence."""
    with tempfile.TemporaryDirectory(prefix="tables-") as folder:
        wheel = given or _download(Path(folder))
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != HASS_SHA256:
            raise TablesError(f"{wheel.name} is not the file it should be (SHA-256 differs).")
        with zipfile.ZipFile(wheel) as archive:
            generated: dict[str, Any] = {}
            for module, names in (("zeroconf", ("HOMEKIT", "ZEROCONF")), ("ssdp", ("SSDP",)), ("dhcp", ("DHCP",))):
                text = archive.read(f"homeassistant/generated/{module}.py").decode()
                generated |= {name.lower(): literal(text, name) for name in names}
            return generated, archive.read(_LICENCE)


def _download(folder: Path) -> Path:
    wanted = folder / "requirements.txt"
    wanted.write_text(f"homeassistant=={HASS} --hash=sha256:{HASS_SHA256}\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "download"]
    options = ["--no-deps", "--ignore-requires-python", "--only-binary=:all:", "--no-cache-dir"]
    done = subprocess.run(
        [*pip, *options, "--require-hashes", "-r", str(wanted), "-d", str(folder)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        kind = TablesError if "hash" in done.stderr.lower() else OfflineError
        raise kind(f"the package homeassistant {HASS} cannot be fetched: {last}")
    return next(folder.glob("*.whl"))


def literal(text: str, name: str) -> Any:
    """The value that a module gives `name`; nothing of the module is run."""
    for node in ast.parse(text).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == name and isinstance(node, ast.Assign | ast.AnnAssign):
            return ast.literal_eval(node.value or ast.Constant(None))
    raise TablesError(f"{name} is not in the module.")


def _tells(pattern: str) -> bool:
    """Whether a pattern of host names is more than the beginning of a word, which may be that of a person's name."""
    said = pattern.rstrip("*?")
    return len(said) >= 4 and (pattern == said or len(said) >= 8 or not said.isalpha())


def pack_services(
    *, zeroconf: dict[str, Any], homekit: dict[str, Any], ssdp: dict[str, Any], dhcp: list[dict[str, Any]]
) -> dict[str, Any]:
    """The table of `appliance/keeper/devices/fingerprint/services.py`."""
    services = [
        {
            "type": service.removesuffix(".").removesuffix(".local"),
            "domain": matcher["domain"],
            **({"name": matcher["name"]} if "name" in matcher else {}),
            **({"properties": matcher["properties"]} if "properties" in matcher else {}),
        }
        for service, matchers in zeroconf.items()
        for matcher in matchers
    ]
    types: dict[str, set[str]] = {}
    for domain, matchers in ssdp.items():
        for matcher in matchers:
            # Manufacturer and model stand in a description that is fetched; only the type is announced.
            kind = matcher.get("st") or (matcher.get("deviceType") if len(matcher) == 1 else None)
            # Standard services and the root device are everybody's.
            if kind and not kind.startswith("urn:schemas-upnp-org:service:") and kind != "upnp:rootdevice":
                types.setdefault(kind, set()).add(domain)
    hosts = sorted(
        {
            (item["hostname"], item["domain"])
            for item in dhcp
            if "hostname" in item and "macaddress" not in item and _tells(item["hostname"])
        }
    )
    prefixes: dict[str, set[str]] = {}
    for item in dhcp:
        if "macaddress" in item and "hostname" not in item:
            prefixes.setdefault(item["macaddress"].rstrip("*").upper(), set()).add(item["domain"])
    return {
        "version": HASS,
        "services": services,
        "homekit": {model: about["domain"] for model, about in homekit.items()},
        "upnp": {kind: next(iter(domains)) for kind, domains in types.items() if len(domains) == 1},
        "hosts": hosts,
        "prefixes": {prefix: next(iter(domains)) for prefix, domains in prefixes.items() if len(domains) == 1},
    }


if __name__ == "__main__":
    sys.exit(main())
