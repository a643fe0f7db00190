"""Values as documents print them, and what they mean."""

from __future__ import annotations

import pytest

from mcp_pdf.extract.amounts import decimal_mark, find_amounts, quantity_of
from mcp_pdf.extract.contacts import find_emails, find_phones, find_postcodes
from mcp_pdf.extract.currencies import currency_of
from mcp_pdf.extract.dates import day_first, find_dates
from mcp_pdf.extract.found import Context
from mcp_pdf.extract.identifiers import find_bics, find_ibans, find_ids, find_tax_ids
from mcp_pdf.extract.values import find, normalise


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("12.03.2018", "2018-03-12"),
        ("3 de marzo de 2020", "2020-03-03"),
        ("March 3, 2019", "2019-03-03"),
        ("the 24th day of December, 2010", "2010-12-24"),
        ("2018-05-14T10:00:00", "2018-05-14"),
        ("20/03/18 12:33", "2018-03-20"),
        ("15. März 2021", "2021-03-15"),
        ("1er janvier 2022", "2022-01-01"),
        ("31 grudnia 2020 r.", "2020-12-31"),
        ("05-May-20", "2020-05-05"),
    ],
)
def test_a_date_of_any_language_is_read_to_iso_8601(printed: str, expected: str) -> None:
    assert [found.value for found in find_dates(printed)] == [expected]


def test_one_order_of_day_and_month_holds_for_the_whole_document() -> None:
    assert day_first("04/05/2020 and 04/25/2020") is False
    assert find_dates("04/05/2020", Context(day_first=False))[0].value == "2020-04-05"
    assert find_dates("04/05/2020", Context(day_first=True))[0].value == "2020-05-04"


def test_a_day_that_is_in_no_calendar_is_no_date() -> None:
    assert find_dates("31.02.2020") == []


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("1.234,56 €", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1'234.56", "1234.56"),
        ("(12.00)", "-12.00"),
        ("12,00-", "-12.00"),
        ("-$5.00", "-5.00"),
        ("1.000,-", "1000"),
        ("RM26.82", "26.82"),
    ],
)
def test_an_amount_keeps_its_digits_and_loses_its_separators(printed: str, expected: str) -> None:
    assert find_amounts(printed)[0].value == expected


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("INV-0042", ["INV-0042"]),
        ("Nº000.000.046", ["000.000.046"]),
        ("No.4711 of 12", ["4711", "12"]),
        ("CPF 765.865.078-12, CNPJ 02.364.958/0001-97", []),
    ],
)
def test_an_identifier_is_no_tax_number_and_takes_no_sign_set_close_to_it(printed: str, expected: list[str]) -> None:
    assert [one.value for one in find_ids(printed)] == expected


def test_a_lone_separator_is_judged_by_the_document() -> None:
    assert decimal_mark("10,50 and 3,99") == ","
    assert normalise("amount", "1.234", Context(decimal=",")) == "1234"
    assert normalise("amount", "1.234", Context(decimal=".")) == "1.234"


@pytest.mark.parametrize(
    ("printed", "country", "expected"),
    [
        ("R$", None, "BRL"),
        ("$", "MX", "MXN"),
        ("zł", None, "PLN"),
        ("kr", "DK", "DKK"),
        ("EUR", None, "EUR"),
        ("abc", None, None),
    ],
)
def test_a_currency_sign_means_what_the_country_means_by_it(
    printed: str, country: str | None, expected: str | None
) -> None:
    assert currency_of(printed, Context(country=country)) == expected


@pytest.mark.parametrize(
    ("printed", "value", "valid"),
    [
        ("USt-IdNr.: DE136695976", "DE136695976", True),
        ("FR 11 999 999 998 RCS", "FR11999999998", True),
        ("CNPJ 11.222.333/0001-81", "11.222.333/0001-81", True),
        ("NIP 123-456-32-18", "123-456-32-18", True),
        ("DE123456789", "DE123456789", False),
    ],
)
def test_a_tax_number_is_valid_only_with_right_check_digits(printed: str, value: str, valid: bool) -> None:
    assert [(one.value, one.valid) for one in find_tax_ids(printed)] == [(value, valid)]


def test_an_iban_is_cut_to_the_length_of_its_country() -> None:
    found = find_ibans("IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX")
    assert [(one.value, one.valid) for one in found] == [("DE89370400440532013000", True)]
    assert find_bics("BIC COBADEFFXXX")[0].value == "COBADEFFXXX"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("D-80333 München", "80333"),
        ("SW1B 3BN London", "SW1B 3BN"),
        ("00-950 Warszawa", "00-950"),
        ("1234 AB Delft", "1234 AB"),
    ],
)
def test_a_postcode_of_any_country_is_found_in_its_line(line: str, code: str) -> None:
    assert find_postcodes(line)[0].code == code


def test_contacts_are_found_and_dates_are_no_telephone() -> None:
    assert find_emails("write to a.b@c-d.org.")[0].value == "a.b@c-d.org"
    assert find_phones("Tel. +49 (89) 1234-567")[0].value == "+49 (89) 1234-567"
    assert find_phones("12.03.2018") == []


def test_a_quantity_stands_alone_or_with_its_unit() -> None:
    assert quantity_of("20 Stk") == ("20", "Stk")
    assert quantity_of("20 elephants") is None


@pytest.mark.parametrize(
    ("kind", "printed", "expected"),
    [
        ("percent", "19 %", "19"),
        ("integer", "388", 388),
        ("number", "17,5 kg", 17.5),
        ("boolean", "Ja", True),
        ("date", "soon", None),
    ],
)
def test_a_value_takes_the_form_of_its_type(kind: str, printed: str, expected: object) -> None:
    assert normalise(kind, printed) == expected


def test_a_kind_without_a_pattern_finds_nothing() -> None:
    assert find("name", "Anna Keller") == []
