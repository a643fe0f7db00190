"""Pages, chunks, values and agreement without a model: the pure parts of the second reading."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from agent.planning.agreement import join, judged, product_holds
from agent.planning.pages import CHUNK_TOKENS, Page, chunks, halves, relevant
from agent.planning.reading import Given, Read, _Answer, merged
from agent.planning.values import Invalid, leaves, same, typed
from agent.planning.wished import Wanted, answer_schema, unsure, wanted_of


def page(number: int, text: str = "", tokens: int = 100) -> Page:
    return Page(number, text or "word " * (tokens * 3 // 5))


def field(name: str, kind: str) -> Wanted:
    return wanted_of({"fields": [{"name": name, "type": kind}]}, {})[0]


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("amount", "1190.00", "1190.00"), ("amount", "€1190.5", "1190.5"), ("amount", -3, "-3"),
        ("percent", "19 %", "19"),
        ("number", "4", 4), ("number", 2.5, 2.5), ("integer", "12", 12), ("date", "2026-09-14", "2026-09-14"),
        ("currency", "eur", "EUR"), ("string", " a  b ", "a b"), ("namelist", "one", ["one"]), ("date", "", None),
        ("boolean", True, True),
    ],
)  # fmt: skip
def test_a_models_values_are_spelled_as_the_contract_does(kind: str, given: Any, value: Any) -> None:
    assert typed(kind, given) == value


@pytest.mark.parametrize(
    ("kind", "given"),
    [("amount", "1,190.00"), ("amount", "about ten"), ("date", "14.09.2026"), ("date", "2026-02-31"), ("integer", 1.5),
     ("boolean", "yes"), ("string", {"a": 1}), ("amount", True), ("number", "NaN")],
)  # fmt: skip
def test_what_is_no_value_of_its_type_is_invalid(kind: str, given: Any) -> None:
    with pytest.raises(Invalid):
        typed(kind, given)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("1190.00", "1190", True), ("1190.00", 1190, True), ("0042", "42", False), ("INV-1", "inv 1", True),
        ("2026-09-14", "2026-10-14", False), (None, None, True), (None, "", False), (True, 1, False),
        ([{"a": "1.0"}], [{"a": 1}], True), (["a"], ["a", "b"], False),
    ],
)  # fmt: skip
def test_values_are_compared_by_what_they_mean(one: Any, other: Any, alike: bool) -> None:
    assert same(one, other) is alike


def test_chunks_overlap_by_the_page_before_and_lose_none() -> None:
    pages = [page(n, tokens=1_500) for n in range(1, 21)]
    found = chunks(pages)
    own = [p.number for chunk in found for p in chunk if not p.context]
    assert own == list(range(1, 21))
    assert all(sum(p.tokens for p in chunk) <= CHUNK_TOKENS for chunk in found)
    for before, chunk in pairwise(found):
        assert chunk[0].context
        assert chunk[0].number == before[-1].number


def test_a_page_larger_than_a_chunk_is_cut_between_lines() -> None:
    lines = [f"line {n} with some words" for n in range(4_000)]
    found = chunks([page(1, "\n".join(lines))])
    assert len(found) > 1
    assert [line for chunk in found for p in chunk if not p.context for line in p.text.splitlines()] == lines


def test_halves_are_smaller_and_together_whole() -> None:
    first, second = halves([page(1), page(2), page(3)])
    assert [p.number for p in first] == [1]
    assert [p.number for p in second if not p.context] == [2, 3]
    assert halves([page(1, "one line")]) == []


def test_pages_that_speak_of_what_is_wanted_are_chosen() -> None:
    pages = [page(n, "general remarks and so on " * 150) for n in range(1, 41)]
    pages[24] = page(25, "The liability cap of this contract is two million. " + "more words " * 300)
    chosen = relevant(pages, [field("liability_cap", "amount")], frozenset(), most_tokens=5_000)
    assert 25 in [p.number for p in chosen]
    assert sum(p.tokens for p in chosen) <= 5_000


def test_rows_of_overlapping_chunks_are_joined_once_and_in_order() -> None:
    rows = [{"description": f"item {n}", "quantity": 1, "unit_price": "2.00", "amount": "2.00"} for n in range(6)]
    answers = [
        _Answer([page(1)], {"line_items": rows[:3]}),
        _Answer([page(1), page(2)], {"line_items": rows[2:5]}),
        _Answer([page(3)], {"line_items": rows[5:]}),
    ]
    assert merged(answers, [field("line_items", "items")]).values["line_items"] == rows


def test_chunks_that_contradict_each_other_are_low_and_listed() -> None:
    wanted = [field("total", "amount")]
    answers = [_Answer([page(1)], {"total": "10.00"}), _Answer([page(9)], {"total": "20.00"})]
    read = merged(answers, wanted)
    proof = {"match": "exact", "page": 1, "boxes": [[0, 0, 1, 1]], "source": "model", "confidence": "medium"}
    joined = join(empty("total"), read, {"/total": proof}, wanted, strictness="balanced")
    assert joined.evidence["/total"]["confidence"] == "low"
    assert joined.evidence["/total"]["conflicts"][0] == {"value": "20.00", "page": 9, "boxes": [], "source": "model"}


def empty(name: str) -> dict[str, Any]:
    return {"values": {name: None}, "evidence": {f"/{name}": {"reason": "not_found"}}, "checks": [], "warnings": []}


def has(name: str, value: Any, confidence: str) -> dict[str, Any]:
    proof = {"match": "exact", "page": 1, "boxes": [], "source": "layout", "checks": {}, "confidence": confidence}
    return {"values": {name: value}, "evidence": {f"/{name}": proof}, "checks": [], "warnings": []}


ON_PAGE = {"match": "normalised", "page": 1, "boxes": [[0, 0, 1, 1]], "source": "model", "checks": {}}
NOWHERE = {"match": "unlocated", "page": None, "boxes": [], "source": "model", "checks": {}, "confidence": "low"}


@pytest.mark.parametrize(
    ("ours", "theirs", "proof", "value", "word"),
    [
        (("10.00", "low"), "10", ON_PAGE, "10.00", "medium"),
        (("10.00", "medium"), "10", ON_PAGE, "10.00", "high"),
        (("10.00", "high"), "10", NOWHERE, "10.00", "medium"),
        (("10.00", "high"), "20", ON_PAGE, "10.00", "medium"),
        (("10.00", "medium"), "20", ON_PAGE, "10.00", "low"),
        (("10.00", "low"), "20", ON_PAGE, "20", "low"),
        (("10.00", "low"), "20", NOWHERE, "10.00", "low"),
        ((None, ""), "20", ON_PAGE, "20", "medium"),
        ((None, ""), "20", NOWHERE, None, None),
    ],
)
def test_the_table_of_agreement(ours: Any, theirs: str, proof: dict[str, Any], value: Any, word: str | None) -> None:
    embedded = empty("total") if ours[0] is None else has("total", *ours)
    read = Read({"total": theirs}, {"total": [Given(theirs, (1,))]})
    located = {"/total": {"confidence": "high", **proof}}
    joined = join(embedded, read, located, [field("total", "amount")], strictness="balanced")
    assert joined.values["total"] == value
    assert joined.evidence["/total"].get("confidence") == word
    if ours[0] is not None and not same(ours[0], theirs):
        assert len(joined.evidence["/total"]["conflicts"]) == 1


def test_a_failed_check_takes_the_models_value_down_and_precise_withholds_it() -> None:
    wanted = [field("total", "amount")]
    read = Read({"total": "20"}, {"total": [Given("20", (1,))]})
    checks = [{"name": "net_plus_tax_is_total", "passed": False, "fields": ["/total"]}]
    joined = join(empty("total"), read, {"/total": ON_PAGE | {"confidence": "high"}}, wanted, strictness="precise")
    judged(joined, checks, strictness="balanced")
    assert joined.evidence["/total"]["confidence"] == "low"
    judged(joined, checks, strictness="precise")
    assert joined.values["total"] is None
    assert joined.evidence["/total"]["candidates"][0]["value"] == "20"


def test_a_failed_check_of_rows_takes_every_cell_down() -> None:
    rows = [{"description": "Part", "quantity": 2, "unit_price": "2.00", "amount": "4.00"}]
    wanted, read = field("line_items", "items"), Read(values={"line_items": rows})
    located = {at: {"match": "exact", "confidence": "medium"} for at, _ in leaves(rows, "/line_items")}
    joined = join({"values": {"line_items": None}, "evidence": {}}, read, located, [wanted], strictness="balanced")
    assert {proof["confidence"] for proof in joined.evidence.values()} == {"medium"}
    check = {"name": "lines_add_up_to_net", "passed": False, "fields": ["/line_items", "/net_total"]}
    judged(joined, [check], strictness="balanced")
    assert {proof["confidence"] for proof in joined.evidence.values()} == {"low"}


@pytest.mark.parametrize(
    ("row", "holds"),
    [
        ({"quantity": 3, "unit_price": "2.00", "amount": "6.00"}, True),
        ({"quantity": 3, "unit_price": "2.00", "amount": "2.00"}, False),
        ({"quantity": 1000, "unit_price": "0.333", "amount": "333.30"}, True),  # the price is printed rounded
        ({"quantity": 2, "unit_price": "-2.00", "amount": "-4.00"}, True),
        ({"quantity": None, "unit_price": "2.00", "amount": "2.00"}, None),
        ({"unit_price": "2.00", "amount": "2.00"}, None),
    ],
)
def test_quantity_times_price_is_the_amount(row: dict[str, Any], holds: bool | None) -> None:
    assert product_holds(row) is holds


def test_one_value_where_rows_are_wanted_changes_nothing() -> None:
    rows = [{"description": "Part"}]
    embedded = {"values": {"line_items": rows}, "evidence": {"/line_items/0/description": {"confidence": "medium"}}}
    read = Read(values={"line_items": "a Part"})
    joined = join(embedded, read, {}, [field("line_items", "items")], strictness="balanced")
    assert (joined.values, joined.taken) == ({"line_items": rows}, set())


def test_what_an_e_invoice_leaves_out_is_absent_not_doubtful() -> None:
    wanted = [field("total", "amount"), field("bic", "id")]
    stated = {"total": "10.00", "bic": None}
    evidence = {"/total": {"source": "xml", "match": "exact", "confidence": "high"}, "/bic": {"reason": "not_found"}}
    result = {"values": stated, "evidence": evidence, "checks": []}
    assert unsure(wanted, result) == []
    evidence["/total"]["source"] = "layout"
    assert [one.name for one in unsure(wanted, result)] == ["bic"]


def test_a_callers_schema_is_asked_for_with_every_part_nullable_and_in_words_the_api_takes() -> None:
    schema = {
        "type": "object",
        "properties": {
            "seller": {"type": "object", "properties": {"name": {"type": "string", "minLength": 1}}},
            "kind": {"enum": ["a", "b"]},
            "party": {"$ref": "#/$defs/party"},
        },
        "$defs": {"party": {"type": "object", "properties": {"id": {"type": "integer"}}}},
    }
    found = answer_schema(wanted_of({"schema": schema}, {}), {"schema": schema})
    assert found["required"] == ["seller", "kind", "party"]
    assert found["properties"]["seller"]["properties"]["name"] == {"type": ["string", "null"]}
    assert found["properties"]["kind"]["enum"] == ["a", "b", None]
    assert found["$defs"]["party"]["properties"]["id"]["type"] == ["integer", "null"]


def test_leaves_have_pointers_of_rfc_6901() -> None:
    assert dict(leaves({"a/b": [{"c~": 1}], "d": []})) == {"/a~1b/0/c~0": 1, "/d": []}
