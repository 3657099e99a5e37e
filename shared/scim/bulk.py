"""The bulk request that `bulkUpload` takes: RFC 7644 §3.7 in the shape of the Graph resource `bulkUpload`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import UUID8, Field

from shared.scim.user import ScimModel, User

if TYPE_CHECKING:
    from collections.abc import Iterable

BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
MAX_OPERATIONS = 50
"""Operations in one request at most. Source: Graph resource bulkUpload."""


class BulkOperation(ScimModel):
    """One worker's whole record; the job decides between create, update and disable."""

    method: Literal["POST"]
    bulk_id: Annotated[UUID8, Field(strict=False)]
    path: Literal["/Users"]
    data: User


class BulkRequest(ScimModel):
    """The body of one POST."""

    schemas: tuple[Literal["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]]
    operations: Annotated[list[BulkOperation], Field(alias="Operations", min_length=1, max_length=MAX_OPERATIONS)]
    fail_on_errors: None = None


def bulk_operation(bulk_id: bytes, user: bytes) -> bytes:
    """One operation as JSON around `user`, which is JSON already and is not read again."""
    return b'{"method":"POST","bulkId":"%b","path":"/Users","data":%b}' % (bulk_id, user)


def bulk_request(operations: Iterable[bytes]) -> bytes:
    """The body of one POST around operations that are JSON already."""
    return b'{"schemas":["%b"],"Operations":[%b],"failOnErrors":null}' % (BULK_REQUEST.encode(), b",".join(operations))
