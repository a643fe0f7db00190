"""XML from a stranger: parsed without entities, DTD or network, read by local names, values normalised."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

from lxml import etree

MAX_XML_BYTES: Final = 20 * 1024 * 1024
MAX_TEXT: Final = 10_000  # characters of one value
Node: TypeAlias = Any  # an lxml element: lxml has no types


class RefusedXml(ValueError):
    """Not well-formed, too large, or with a DTD: no business document has one."""


def parse(data: bytes) -> Node:
    """The root element. Raises RefusedXml."""
    if len(data) > MAX_XML_BYTES:
        raise RefusedXml("too large")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True, collect_ids=False,
    )  # fmt: skip
    try:
        root = etree.fromstring(data.lstrip(b"\x00 \t\r\n"), parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise RefusedXml("not well-formed") from exc
    if root.getroottree().docinfo.doctype:
        raise RefusedXml("has a document type definition")
    return root


def local_name(node: Node) -> str:
    """The name without its namespace; entity nodes and the like have none."""
    tag = node.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(node: Node | None, path: str) -> list[Node]:
    """All elements at a path of local names such as `A/B`."""
    found = [] if node is None else [node]
    for name in path.split("/") if path != "." else ():
        found = [child for parent in found for child in parent if local_name(child) == name]
    return found


def child(node: Node | None, *paths: str) -> Node | None:
    """The first element at the first of these paths that has one."""
    return next((found for path in paths for found in children(node, path)[:1]), None)


def text(node: Node | None, *paths: str) -> str | None:
    """The text at the first of these paths that has any, with single blanks."""
    for path in paths:
        for found in children(node, path):
            value = " ".join((found.text or "").split())[:MAX_TEXT]
            if value:
                return value
    return None


def number(node: Node | None, *paths: str) -> str | None:
    """A decimal string with a point: as written, but without idle zeros beyond the second decimal."""
    return decimal_text(text(node, *paths))


def decimal_text(value: str | None) -> str | None:
    """The same for a value already at hand; None when it is no finite decimal."""
    if value is None or len(value) > 40 or not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", value):
        return None
    try:
        plain = format(Decimal(value), "f")
    except InvalidOperation:
        return None
    whole, point, decimals = plain.partition(".")
    return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}" if point else whole


def short_number(node: Node | None, *paths: str) -> str | None:
    """A quantity or percentage without any idle zero: `19.00` is `19`."""
    value = number(node, *paths)
    return value.rstrip("0").rstrip(".") if value and "." in value else value


def iso_date(value: str | None) -> str | None:
    """`20240131`, `2024-01-31` and `2024-01-31T…` as `2024-01-31`; None for what is no day."""
    match = re.match(r"(\d{4})-?(\d\d)-?(\d\d)", value or "")
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
    except ValueError:
        return None


def code(value: str | None) -> str | None:
    """An identifier without blanks."""
    return re.sub(r"\s+", "", value) or None if value else None


def joined(*parts: str | None) -> str | None:
    """Address lines as one string, without repetitions."""
    kept = list(dict.fromkeys(part for part in parts if part))
    return ", ".join(kept) or None
