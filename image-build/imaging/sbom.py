"""Bill of materials in SPDX 2.3 (JSON): what Debian says is installed, and what the lock file pins."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s\\;]+)", re.MULTILINE)
_ROOT = "SPDXRef-Image"


def pinned(lock: str) -> list[tuple[str, str]]:
    """Name and version of every Python package of a lock file, sorted."""
    return sorted((match[1], match[2]) for match in _PINNED.finditer(lock))


def document(
    about: dict[str, Any], packages: list[tuple[str, str, str, str]], python: list[tuple[str, str]], *, epoch: int
) -> dict[str, Any]:
    """The document for an image.

    Args:
        about: As of `tree.describe`.
        packages: Debian's: name, version, architecture, source.
        python: Name and version.
        epoch: Its time; the same image has the same document.
    """
    entries = [
        *(
            _package(
                "deb", name, version,
                locator=f"pkg:deb/debian/{quote(name)}@{quote(version, safe='')}?arch={architecture}&distro=bookworm",
                comment=f"source package {source}",
            )
            for name, version, architecture, source in packages
        ),
        *(_package("pypi", name, version, locator=f"pkg:pypi/{quote(name)}@{quote(version, safe='')}") for name, version in python),
    ]  # fmt: skip
    named = f"{about['compatible']}-{about['version']}"
    told = hashlib.sha256(json.dumps([about, entries], sort_keys=True).encode()).hexdigest()
    image = {
        **_package("image", named, str(about["version"]), locator=f"pkg:generic/{quote(named)}@{about['version']}"),
        "SPDXID": _ROOT,
        "licenseDeclared": "MIT",
        "primaryPackagePurpose": "OPERATING-SYSTEM",
    }
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": named,
        "documentNamespace": f"https://gatehouse.invalid/spdx/{named}/{told[:32]}",
        "creationInfo": {
            "created": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: gatehouse-image-build"],
        },
        "packages": [image, *entries],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": _ROOT},
            *(
                {"spdxElementId": _ROOT, "relationshipType": "CONTAINS", "relatedSpdxElement": item["SPDXID"]}
                for item in entries
            ),
        ],
    }


def _package(kind: str, name: str, version: str, *, locator: str, comment: str | None = None) -> dict[str, Any]:
    safe = re.sub(r"[^A-Za-z0-9.-]", "-", f"{name}-{version}")
    return {
        "SPDXID": f"SPDXRef-{kind}-{safe}",
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator}
        ],
        **({"comment": comment} if comment else {}),
    }


def as_json(document_: dict[str, Any]) -> str:
    """As it lies in a file."""
    return json.dumps(document_, indent=1, sort_keys=True) + "\n"
