"""The description of the HTTP+JSON binding, and the service held against it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from agent.a2a import openapi
from agent.a2a import operations as ops
from agent.a2a.card import CardFacts
from tests.conformance.process import scripted_process

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
DESCRIPTION = openapi.document(CardFacts("http://127.0.0.1"))
schema = schemathesis.openapi.from_dict(DESCRIPTION)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with scripted_process(tmp_path_factory.mktemp("openapi")) as started:
        yield started


@schema.include(path_regex="^(?!.*(stream|subscribe))").parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_asked_the_answer_is_as_described(case: schemathesis.Case, url: str) -> None:
    case.validate_response(case.call(base_url=url), checks=CHECKS)


def test_every_operation_of_the_table_is_described() -> None:
    assert openapi.SHAPES.keys() == {operation.name for operation in ops.OPERATIONS}
    told = {(path, verb.upper()) for path, verbs in DESCRIPTION["paths"].items() for verb in verbs}
    assert told == {(route.path, route.verb) for operation in ops.OPERATIONS for route in operation.rest_v1}


def test_every_reference_leads_somewhere() -> None:
    text = repr(DESCRIPTION)
    named = {part.split("'")[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= openapi.COMPONENTS.keys()


def test_it_is_read_without_a_key_under_any_host(url: str) -> None:
    told = httpx.get(f"{url}/openapi.json", headers={"Host": "elsewhere.example"}).json()
    assert told["paths"].keys() == DESCRIPTION["paths"].keys()
