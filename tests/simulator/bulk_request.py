"""The form of a bulkUpload body.

Source: Graph reference, resource synchronization bulkUpload. Whatever is wrong, the service says only
"Invalid Data Format" and not which operation ("issues" page); so do we.
"""

import json
from typing import Any

from tests.simulator.attributes import ENTERPRISE
from tests.simulator.graph_errors import invalid_data_format
from tests.simulator.settings import Settings

BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
MEDIA_TYPE = "application/scim+json"
MAX_OPERATIONS = 50


def read_bulk_request(content_type: str | None, body: bytes) -> list[Any]:
    """The operations of a body, not yet checked one by one.

    Raises:
        GraphError: 400 for another Content-Type, no JSON, wrong root schemas, no or more than 50 operations.
    """
    if (content_type or "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise invalid_data_format()
    try:
        content = json.loads(body)
    except ValueError as error:
        raise invalid_data_format() from error
    if not isinstance(content, dict) or content.get("schemas") != [BULK_REQUEST]:
        raise invalid_data_format()
    operations = content.get("Operations")
    if not isinstance(operations, list) or not 1 <= len(operations) <= MAX_OPERATIONS:
        raise invalid_data_format()
    return operations


def check_operations(operations: list[Any], settings: Settings) -> list[dict[str, Any]]:
    """The users of the operations.

    Raises:
        GraphError: 400 as soon as one operation does not conform, or is one that the settings reject.
    """
    if not all(_conforms(operation, require_schemas=settings.require_data_schemas) for operation in operations):
        raise invalid_data_format()
    users = [operation["data"] for operation in operations]
    if settings.reject_external_ids and {u["externalId"] for u in users} & set(settings.reject_external_ids):
        raise invalid_data_format()
    return users


def _conforms(operation: Any, *, require_schemas: bool) -> bool:
    """method POST, path /Users, a bulkId, and a data object with an externalId."""
    # Not checked: a bulkId given twice. A workshop's payload repeats one and was accepted.
    if not isinstance(operation, dict):
        return False
    data = operation.get("data")
    return (
        operation.get("method") == "POST"
        and operation.get("path") == "/Users"
        and _is_text(operation.get("bulkId"))
        and isinstance(data, dict)
        and _is_text(data.get("externalId"))
        and (not require_schemas or _names_schemas(data.get("schemas")))
        # Guess: a value of the wrong JSON type does not conform (RFC 7643 says boolean and string).
        and (data.get("active") is None or isinstance(data["active"], bool))
        and (data.get("userName") is None or isinstance(data["userName"], str))
    )


def _names_schemas(schemas: Any) -> bool:
    return isinstance(schemas, list) and CORE in schemas and ENTERPRISE in schemas


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
