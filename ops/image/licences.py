"""licences.py SBOM: what the image's packages are licensed under; exit 1 for a licence that is unknown or not accepted.

The SBOM is CycloneDX JSON; the licence texts are read from the packages installed beside this Python.
"""

from __future__ import annotations

import json
import re
import sys
from importlib import metadata
from pathlib import Path

ACCEPTED = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla Public|Unlicense|Zlib|HPND|0BSD|CC0|Expat)",
    re.IGNORECASE,
)
REFUSED = re.compile(r"\b(AGPL|Affero|SSPL|BUSL|GNU General Public)", re.IGNORECASE)  # LGPL libraries may be linked to
LESSER = re.compile(r"\b(LGPL|Lesser General Public)", re.IGNORECASE)

READ = {"async-timeout": "Apache-2.0"}  # by hand: only Python before 3.11.3 wants it, so it may not be installed here


def licence(name: str) -> str:
    """What the package says of itself: its SPDX expression, else classifiers, else the free field's first line."""
    about = metadata.metadata(name)
    classifiers = [
        line.rsplit(" :: ", 1)[-1] for line in about.get_all("Classifier") or () if line.startswith("License")
    ]
    return (
        about.get("License-Expression")
        or "; ".join(classifiers)
        or (about.get("License") or "").strip().split("\n")[0]
        or "unknown"
    )


def main(sbom: Path) -> int:
    components = json.loads(sbom.read_text(encoding="utf-8"))["components"]
    bad = []
    for component in components:
        try:
            words = licence(component["name"])
        except metadata.PackageNotFoundError:
            words = READ.get(component["name"], "not installed here")
        if REFUSED.search(words) or not (ACCEPTED.search(words) or LESSER.search(words)):
            bad.append(f"{component['name']} {component.get('version', '')}: {words}")
    print(f"{len(components)} components, {len(bad)} with a licence that is unknown or not accepted")
    print(*bad, sep="\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
