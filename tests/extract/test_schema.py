"""Any schema: what is asked in JSON Schema comes back in that shape, or is refused by one stable code."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_pdf.errors import PdfError
from mcp_pdf.extract.extraction import extract
from mcp_pdf.extract.fitting import effective
from mcp_pdf.extract.wish import Wish
from mcp_pdf.pdf.page import Document
from tests.extract.placed import page
from tests.extract.test_item_tables import HEADER

INVOICE = Document(
    [
        page(
            (40, 20, "Invoice number: INV-77"), (40, 35, "Invoice date: 14 May 2024"), (40, 50, "Status: paid"),
            (40, 65, "Contact: sales@example.com"), (300, 65, "Urgent: yes"),
            *HEADER,
            (40, 120, "Blue pen"), (250, 120, "3"), (320, 120, "2.00"), (420, 120, "6.00"),
            (40, 140, "Ink"), (250, 140, "1"), (320, 140, "4.50"), (420, 140, "4.50"),
            (300, 170, "Net total"), (420, 170, "10.50"), (300, 185, "VAT 20%"), (420, 185, "2.10"),
            (300, 200, "Total"), (420, 200, "12.60"), (40, 230, "Warehouse bay: K-17"),
        )
    ],
    1,
)  # fmt: skip


def asked(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return extract(INVOICE, Wish.parse({"schema": schema, **more}))


def typed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_nested_objects_arrays_enums_and_formats_come_back_in_their_shape() -> None:
    schema = typed(
        invoice=typed(
            number={"type": "string", "description": "Invoice number"},
            date={"type": "string", "format": "date-time", "description": "Invoice date"},
            status={"enum": ["open", "PAID"], "description": "Status"},
        ),
        lines={
            "type": "array",
            "description": "Line items",
            "items": typed(
                product=typed(description={"type": "string"}),
                quantity={"type": "integer"},
                amount={"type": "number"},
            ),
        },
        emails={"type": "array", "items": {"type": "string", "format": "email"}},
        urgent={"type": "boolean", "description": "Urgent"},
    )
    result = asked(schema)
    assert result["values"] == {
        "invoice": {"number": "INV-77", "date": "2024-05-14T00:00:00Z", "status": "PAID"},
        "lines": [
            {"product": {"description": "Blue pen"}, "quantity": 3, "amount": 6.0},
            {"product": {"description": "Ink"}, "quantity": 1, "amount": 4.5},
        ],
        "emails": ["sales@example.com"],
        "urgent": True,
    }
    assert result["evidence"]["/lines/1/product/description"]["text"] == "Ink"


def test_the_object_around_a_name_tells_whose_it_is() -> None:
    schema = typed(vendor=typed(name={"type": "string"}), customer=typed(name={"type": "string"}))
    parties = page(
        (40, 40, "Seller"), (300, 40, "Bill to"), (40, 52, "Holz GmbH"), (300, 52, "Bau AG"),
        (40, 64, "Ring 1"), (300, 64, "Weg 2"), (40, 76, "80333 Munich"), (300, 76, "50667 Cologne"),
    )  # fmt: skip
    result = extract(Document([parties], 1), Wish.parse({"schema": schema}))
    assert result["values"] == {"vendor": {"name": "Holz GmbH"}, "customer": {"name": "Bau AG"}}


def test_a_table_that_only_the_caller_describes_is_read_by_its_titles() -> None:
    statement = page(
        (40, 80, "Booking day"), (140, 80, "Purpose"), (320, 80, "Turnover"),
        (40, 100, "2024-05-02"), (140, 100, "Rent of the hall"), (320, 100, "-850.00"),
        (140, 112, "for May"),
        (40, 130, "2024-05-09"), (140, 130, "Ticket sales"), (320, 130, "1,200.50"),
        (40, 200, "Your bank wishes a good day"),
    )  # fmt: skip
    columns = typed(
        day={"type": "string", "format": "date", "description": "Booking day"},
        purpose={"type": "string"},
        turnover={"type": "number"},
    )
    schema = typed(transactions={"type": "array", "items": columns})
    result = extract(Document([statement], 1), Wish.parse({"schema": schema}))
    assert result["values"]["transactions"] == [
        {"day": "2024-05-02", "purpose": "Rent of the hall for May", "turnover": -850.0},
        {"day": "2024-05-09", "purpose": "Ticket sales", "turnover": 1200.5},
    ]
    assert result["evidence"]["/transactions/1/turnover"]["text"] == "1,200.50"


def test_a_name_never_seen_is_found_by_its_description() -> None:
    schema = typed(storageSlot={"type": "string", "description": "Warehouse bay"})
    assert asked(schema)["values"] == {"storageSlot": "K-17"}


def test_what_the_schema_does_not_allow_is_null_and_its_evidence_says_so() -> None:
    result = asked(typed(total={"type": "number", "maximum": 5}, invoice_number={"type": "string", "pattern": "^X"}))
    assert result["values"] == {"total": None, "invoice_number": None}
    assert result["evidence"]["/invoice_number"]["reason"] == "invalid"
    assert result["evidence"]["/invoice_number"]["candidates"][0]["value"] == "INV-77"


def test_the_effective_schema_is_told_on_request() -> None:
    schema = typed(total={"type": "number"}, kind={"const": "a"}, part={"$ref": "#/$defs/part"}) | {
        "$defs": {"part": typed(name={"type": "string"})}
    }
    told = asked(schema, effective_schema=True)["effective_schema"]
    assert told["properties"]["total"] == {"type": ["number", "null"]}
    assert told["properties"]["kind"] == {"anyOf": [{"const": "a"}, {"type": "null"}]}
    assert told["$defs"]["part"]["properties"]["name"] == {"type": ["string", "null"]}
    assert "effective_schema" not in asked(schema)


def chain(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = typed(a=schema)
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(typed(a={"$ref": "https://example.com/x.json"}), id="remote reference"),
        pytest.param(typed(a={"$dynamicRef": "other.json#x"}), id="remote dynamic reference"),
        pytest.param(typed(a={"$ref": "#/properties/b"}, b={"$ref": "#/properties/a"}), id="circle"),
        pytest.param(typed(a={"$ref": "#"}), id="endless tree"),
        pytest.param(typed(a={"$ref": "#/$defs/none"}), id="reference to nothing"),
        pytest.param(typed(a={"type": "string", "description": "x" * 65_600}), id="too large"),
        pytest.param(chain(40), id="too deep"),
        pytest.param(typed(**{f"p{i}": {} for i in range(501)}), id="too many properties"),
        pytest.param({"type": "object"}, id="no properties"),
        pytest.param(typed(a={"type": "nonsense"}), id="no schema"),
        pytest.param(typed(a={"pattern": "("}), id="no pattern"),
        pytest.param(typed(a={"type": "string"}) | {"not": {}}, id="nothing satisfies it"),
        pytest.param(typed(a={"minimum": 2**70}), id="no JSON number"),
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_served_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(PdfError) as raised:
        asked(schema)
    assert raised.value.code == "invalid_schema"


NAMES = st.sampled_from(["total", "invoice_number", "date", "line_items", "seller", "x", "a/b", "~", "", "emails"])
LEAVES = st.one_of(
    st.booleans(),
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["string", "number", "integer", "boolean", "object", "array", ["string", "null"]]),
            "enum": st.lists(st.sampled_from(["EUR", 1, None, True]), min_size=1, max_size=3, unique_by=repr),
            "const": st.sampled_from(["EUR", 12.6]),
            "format": st.sampled_from(["date", "date-time", "email", "uri", "ipv4"]),
            "pattern": st.sampled_from(["^[A-Z]", "(", "[0-9]{3}"]),
            "minimum": st.integers(-5, 50),
            "maxLength": st.integers(0, 8),
            "minItems": st.integers(0, 3),
            "uniqueItems": st.booleans(),
            "not": st.sampled_from([{"type": "string"}, {}, True]),
            "$ref": st.sampled_from(["#", "#/$defs/d", "#/properties/x", "http://x/y"]),
            "description": st.sampled_from(["Invoice number", "Total", "Status"]),
        },
    ),
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"properties": st.dictionaries(NAMES, inner, max_size=4)},
        optional={
            "type": st.just("object"),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": st.booleans(),
            "minProperties": st.integers(0, 3),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "if": inner,
            "then": inner,
            "dependentRequired": st.just({"total": ["x"]}),
            "$defs": st.fixed_dictionaries({"d": inner}),
        },
    )


SCHEMAS = objects(
    st.recursive(
        LEAVES,
        lambda inner: st.one_of(objects(inner), st.fixed_dictionaries({"type": st.just("array"), "items": inner})),
        max_leaves=8,
    )
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEMAS)
def test_any_schema_gives_a_result_that_satisfies_it_or_one_stable_code(schema: dict[str, Any]) -> None:
    code, values = outcome(schema)
    if values is None:
        assert code == "invalid_schema"
    else:
        jsonschema_rs.validator_for(effective(schema), validate_formats=True).validate(values)


def outcome(schema: dict[str, Any]) -> tuple[str, Any]:
    """The code that a schema is refused with, or the values that it gives."""
    try:
        return "", asked(schema)["values"]
    except PdfError as exc:
        return exc.code, None
