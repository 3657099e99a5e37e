"""The bulk request: what one POST may hold, and the JSON that is put together without reading it again."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from pydantic import ValidationError

from shared.scim.bulk import MAX_OPERATIONS, BulkRequest, bulk_operation, bulk_request
from tests.unit.builders import CORE, ENTERPRISE

USER = {"schemas": [CORE, ENTERPRISE], "externalId": "701984", "userName": "bjensen@example.com", "active": True}


def bulk_id(number: int = 0) -> str:
    return str(uuid.UUID(int=(0x80008 << 60) | number))


def body(operations: int = 1) -> bytes:
    user = json.dumps(USER).encode()
    return bulk_request(bulk_operation(bulk_id(number).encode(), user) for number in range(operations))


def changed(operation: dict[str, Any] | None = None, **members: Any) -> str:
    """A request of one operation, with other members of it and of the operation."""
    request = json.loads(body())
    request["Operations"][0].update(operation or {})
    return json.dumps({**request, **members})


@pytest.mark.parametrize("operations", [1, 2, MAX_OPERATIONS])
def test_the_json_that_is_put_together_is_a_bulk_request(operations: int):
    request = BulkRequest.model_validate_json(body(operations))
    assert [str(operation.bulk_id) for operation in request.operations] == [bulk_id(n) for n in range(operations)]
    assert json.loads(request.model_dump_json(by_alias=True, exclude_none=True))["Operations"][0]["data"] == USER


def test_the_api_takes_fifty_operations_at_most():
    assert MAX_OPERATIONS == 50


@pytest.mark.parametrize("operations", [0, MAX_OPERATIONS + 1])
def test_a_request_of_no_or_too_many_operations_is_none(operations: int):
    with pytest.raises(ValidationError, match="Operations"):
        BulkRequest.model_validate_json(body(operations))


@pytest.mark.parametrize(
    "text",
    [
        changed(schemas=[]),
        changed(schemas=["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]),
        changed(failOnErrors=1),
        changed(more=1),
        changed({"method": "PATCH"}),
        changed({"path": "/Groups"}),
        changed({"path": "/Users/1"}),
        changed({"bulkId": "701984"}),
        changed({"bulkId": str(uuid.UUID(int=0, version=4))}),
        changed({"bulkId": str(uuid.UUID(int=0, version=5))}),
        changed({"version": "1"}),
        changed({"data": {**USER, "active": None}}),
    ],
)
def test_what_the_api_would_refuse_is_no_bulk_request(text: str):
    with pytest.raises(ValidationError):
        BulkRequest.model_validate_json(text)


def test_the_user_goes_into_the_request_byte_for_byte():
    user = '{"displayName":"Zoë \\u0041 \\"x\\" %b %s"}'.encode()
    assert user in bulk_request([bulk_operation(bulk_id().encode(), user)])
