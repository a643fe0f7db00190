"""The report: results and the pages they stand on as one HTML file, for mail and for places without a network.

It is the console's own result view: `shell` lays its modules and styles into one page, which runs nothing else (its
policy names the hashes of both) and asks nobody for anything. The data stands in it as JSON, never as markup.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import orjson

FILES = Path(__file__).parent / "console"
MODULES = ("dom.js", "result.js", "fields.js", "viewer.js", "view.js", "report.js")  # each after those it imports
DATA = "{{data}}"  # where the JSON goes; the console fills it in the browser
MOST_PAGES = 40  # pictures in a report: pages without a value are left out beyond it

_START = 'show(JSON.parse(document.getElementById("data").textContent), document.getElementById("report"));'
_IMPORT = re.compile(r"^import .*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=async |function|class|const|let)", re.MULTILINE)


def page(results: Sequence[Mapping[str, Any]], pictures: Mapping[str, Mapping[int, str]]) -> str:
    """The report of `results`; `pictures` are data URLs of pages by document id and page number."""
    numbered = {name: {str(number): url for number, url in pages.items()} for name, pages in pictures.items()}
    data = orjson.dumps({"results": results, "pictures": numbered}).decode()
    return shell().replace(DATA, data.replace("<", "\\u003c"))  # no text of a document can end the element


def pages_shown(result: Mapping[str, Any]) -> list[int]:
    """The pages whose pictures a report holds: those with values first, then the others, `MOST_PAGES` at most."""
    proofs = result["evidence"].values()
    marked = sorted({proof["page"] for proof in proofs if proof.get("page")})
    others = sorted(set(range(1, (result["document"].get("pages") or 1) + 1)) - set(marked))
    return sorted((marked + others)[:MOST_PAGES])


@cache
def shell() -> str:
    """The page without its data: `DATA` stands in their place."""
    style = (FILES / "result.css").read_text(encoding="utf-8")
    modules = "".join(_module((FILES / name).read_text(encoding="utf-8")) for name in MODULES)
    script = f"{modules}{_START}\n"
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Document extraction</title>
<style>{style}</style>
</head>
<body>
<div id="report"></div>
<noscript>The report needs JavaScript to be shown; its data stands in this file as JSON.</noscript>
<script type="application/json" id="data">{DATA}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def _module(source: str) -> str:
    """A module's source for the one scope that all of them share: no names are imported, none exported."""
    return _EXPORT.sub("", _IMPORT.sub("", source))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
