"""Two readings of one document become one result: the embedded engine's and a model's. Pure.

A model's value counts by what the page says of it (`located`: the evidence `locate_values` gave) and by what the
embedded engine read for the same name.

both give the same, it is on the page     one word more: low > medium > high
both give the same, it is not located     as the embedded engine says, at most medium
they differ                               the embedded value with one word less; a low one gives way to a model's value
                                          that is on the page; the word is then low. Both are listed (`conflicts`)
only the model gives one, on the page     medium at most
only the model gives one, not located     low; null with it as candidate where such a value must be printed to be true
only the embedded engine gives one        as it says
chunks of the document differ             low, all listed

Of rows that only the model gives, a quantity, price and amount that do not multiply are low.
After that the checks are asked again: what a failed check names is low when it came from the model, at most medium
when it did not. So a model alone never makes a value high, nor does one that contradicts the page.
With strictness `precise` what would be low becomes null, with `eager` nothing does.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from agent.planning.reading import Given, Read
from agent.planning.values import PRINTED, leaves, pointer, same
from agent.planning.wished import Wanted

_WORDS = ("low", "medium", "high")
Proof = dict[str, Any]


def _moved(word: str, steps: int) -> str:
    return _WORDS[max(0, min(2, _WORDS.index(word) + steps))]


def _at_most(word: str, most: str) -> str:
    return _WORDS[min(_WORDS.index(word), _WORDS.index(most))]


@dataclass
class Joined:
    """The result being put together. `taken` are pointers whose value is the model's."""

    values: dict[str, Any]
    evidence: dict[str, Proof]
    taken: set[str] = field(default_factory=set)
    warnings: list[dict[str, Any]] = field(default_factory=list)


def join(
    embedded: Mapping[str, Any],
    read: Read,
    located: Mapping[str, Proof],
    wanted: Sequence[Wanted],
    *,
    strictness: str,
) -> Joined:
    """Values and evidence of both readings; the checks are still those of the embedded one (see `judged`)."""
    joined = Joined(dict(embedded["values"]), {at: copy.copy(proof) for at, proof in embedded["evidence"].items()})
    for one in wanted:
        theirs = read.values.get(one.name)
        if theirs is None:
            if one.name in read.invalid and joined.values.get(one.name) is None:
                joined.evidence.setdefault(pointer(one.name), {})["reason"] = "invalid"
            continue
        ours = joined.values.get(one.name)
        if isinstance(theirs, (list, dict)):
            _structure(joined, one, ours, theirs, located)
        else:
            _leaf(joined, one, ours, theirs, located, strictness, pictured(read, one.name))
        _differing(joined, one, read.others(one.name))
    return joined


def pictured(read: Read, name: str) -> bool:
    """Whether the value may come from a picture, where no word can be found."""
    return any(given.pictures for given in read.given.get(name, ()))


def _leaf(
    joined: Joined, one: Wanted, ours: Any, theirs: Any, located: Mapping[str, Proof], strictness: str, pictures: bool
) -> None:
    at = pointer(one.name)
    proof = located.get(at) or _unlocated(theirs)
    found = proof.get("match", "unlocated") != "unlocated"
    if ours is None:
        if found or not _must_be_printed(one, strictness, pictures):
            word = _at_most(proof["confidence"], "medium" if found else "low")
            joined.values[one.name], joined.evidence[at] = theirs, proof | {"confidence": word}
            joined.taken.add(at)
        else:
            _doubtful(joined.evidence.setdefault(at, {}), theirs)
        return
    own = joined.evidence.get(at, {})
    if "confidence" not in own:  # an object or rows: one value says nothing of them
        return
    if same(ours, theirs):
        own["confidence"] = _moved(own["confidence"], 1) if found else _at_most(own["confidence"], "medium")
        own["agreed"] = True
    elif own["confidence"] == "low" and found:
        joined.values[one.name] = theirs
        joined.evidence[at] = proof | {"confidence": "low", "conflicts": [_candidate(ours, own)]}
        joined.taken.add(at)
    else:
        own["confidence"] = _moved(own["confidence"], -1)
        own["conflicts"] = [*own.get("conflicts", ()), _candidate(theirs, proof)]


def _must_be_printed(one: Wanted, strictness: str, pictures: bool) -> bool:
    """Whether a value of this type that is nowhere on the page is withheld: it would be printed if it were true."""
    return strictness == "precise" or (one.type in PRINTED and not pictures and strictness != "eager")


def _structure(joined: Joined, one: Wanted, ours: Any, theirs: Any, located: Mapping[str, Proof]) -> None:
    """Rows and objects: leaf by leaf where both have the same shape, else one of the two as a whole."""
    top = pointer(one.name)
    mine, his = dict(leaves(ours, top)), dict(leaves(theirs, top))
    if ours in (None, [], {}) or all(value is None for value in mine.values()):
        _take(joined, one, theirs, located)
    elif mine.keys() == his.keys():
        for at, value in his.items():
            _compared(joined, at, mine[at], value, located)
    else:
        weak = [at for at in mine if joined.evidence.get(at, {}).get("confidence", "low") == "low"]
        words = f"{one.name}: the embedded engine and the model differ ({len(mine)} and {len(his)} values)"
        joined.warnings.append({"code": "readings_differ", "message": words})
        if len(weak) * 2 > len(mine):
            _drop(joined.evidence, top)
            _take(joined, one, theirs, located, "low")
            return
        for at in mine:
            if "confidence" in joined.evidence.get(at, {}):
                joined.evidence[at]["confidence"] = _moved(joined.evidence[at]["confidence"], -1)


def _compared(joined: Joined, at: str, ours: Any, theirs: Any, located: Mapping[str, Proof]) -> None:
    """One cell of rows that have the same shape. A value is never filled in there: an empty cell stays empty."""
    own = joined.evidence.get(at)
    if own is None or "confidence" not in own:
        return
    proof = located.get(at) or _unlocated(theirs)
    if same(ours, theirs):
        found = proof.get("match", "unlocated") != "unlocated"
        own["confidence"] = _moved(own["confidence"], 1) if found else own["confidence"]
        own["agreed"] = True
    elif theirs is not None:
        own["confidence"] = _moved(own["confidence"], -1)
        own["conflicts"] = [*own.get("conflicts", ()), _candidate(theirs, proof)]


def _take(joined: Joined, one: Wanted, theirs: Any, located: Mapping[str, Proof], most: str = "medium") -> None:
    """The model's rows or object as a whole; a leaf that is not on the page is low."""
    top = pointer(one.name)
    _drop(joined.evidence, top)
    joined.values[one.name] = theirs
    for at, value in leaves(theirs, top):
        if value is None or value in ([], {}):
            joined.evidence[at] = {"reason": "not_found"}
            continue
        proof = located.get(at) or _unlocated(value)
        joined.evidence[at] = proof | {"confidence": _at_most(proof.get("confidence", "low"), most)}
        joined.taken.add(at)
    for number, row in enumerate(theirs if one.rows else ()):
        proven = product_holds(row)
        for cell in () if proven is None else ("quantity", "unit_price", "amount"):
            own = joined.evidence[pointer(one.name, number, cell)]
            own["checks"] = {**own.get("checks", {}), "quantity_times_price_is_amount": proven}
            own["confidence"] = own["confidence"] if proven else "low"


def product_holds(row: Mapping[str, Any]) -> bool | None:
    """Whether quantity times unit price is the amount, as exactly as the price is printed; None: it cannot be told."""
    try:
        quantity, price, amount = (Decimal(str(row[name])) for name in ("quantity", "unit_price", "amount"))
    except (KeyError, InvalidOperation):
        return None
    exponent = price.as_tuple().exponent
    lost = abs(quantity) * Decimal(5).scaleb(exponent - 1) if isinstance(exponent, int) and exponent < -1 else 0
    return abs(abs(quantity * price) - abs(amount)) <= max(Decimal("0.011"), lost)


def _drop(evidence: dict[str, Proof], top: str) -> None:
    for at in [at for at in evidence if at == top or at.startswith(top + "/")]:
        del evidence[at]


def _differing(joined: Joined, one: Wanted, others: Sequence[Given]) -> None:
    """What other chunks of the document gave instead."""
    at = pointer(one.name)
    own = joined.evidence.get(at)
    if not others or own is None or "confidence" not in own or isinstance(joined.values.get(one.name), list):
        return
    own["confidence"] = "low"
    listed = [
        {"value": g.value, "page": g.pages[0] if g.pages else None, "boxes": [], "source": "model"} for g in others
    ]
    own["conflicts"] = [*own.get("conflicts", ()), *listed]


def _unlocated(value: Any) -> Proof:
    return {
        "text": str(value), "page": None, "boxes": [], "match": "unlocated", "source": "model", "checks": {},
        "confidence": "low",
    }  # fmt: skip


def _candidate(value: Any, proof: Mapping[str, Any]) -> dict[str, Any]:
    place = {"page": proof.get("page"), "boxes": proof.get("boxes", [])}
    return {"value": value, **place, "source": proof.get("source", "model")}


def _doubtful(entry: Proof, value: Any) -> None:
    """The evidence of a null, with the value that was not believed."""
    entry["reason"] = "doubtful"
    entry["candidates"] = [*entry.get("candidates", ()), _candidate(value, _unlocated(value))]


def judged(joined: Joined, checks: Sequence[Mapping[str, Any]], *, strictness: str) -> None:
    """The last word: what a failed check names is believed less; with `precise` what is low is withheld."""
    for check in checks:
        failed = () if check["passed"] else check["fields"]
        for at, proof in joined.evidence.items():
            named = any(at == field or at.startswith(f"{field}/") for field in failed)  # of rows: every cell
            if named and "confidence" in proof:
                proof["confidence"] = _at_most(proof["confidence"], "low" if at in joined.taken else "medium")
                proof["checks"] = {**proof.get("checks", {}), check["name"]: False}
    if strictness == "precise":
        for name in list(joined.values):
            proof = joined.evidence.get(pointer(name), {})
            if proof.get("confidence") == "low":
                candidates = [_candidate(joined.values[name], proof), *proof.get("conflicts", ())]
                joined.values[name] = None
                joined.evidence[pointer(name)] = {"reason": "doubtful", "candidates": candidates}
