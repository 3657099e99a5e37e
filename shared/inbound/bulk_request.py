"""Planned rows to bulk request files: what will be posted, byte for byte.

Everything here is a function of the run id and the rows, so planning the same drop again gives the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import uuid
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import orjson

from shared.scim.bulk import MAX_OPERATIONS, bulk_operation, bulk_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.inbound.working_set import PlannedRow

REQUESTS_PER_FILE = 200
"""10,000 operations: about 10 MB of JSON, 1 MB compressed."""
_NAMESPACE = uuid.UUID("5b0f5ad4-7c39-5f0e-9d53-3a2a6c0f4d10")
_T = TypeVar("_T")


@dataclass(frozen=True)
class RequestFileContent:
    """One `requests/NNNN.ndjson.gz`: a bulk request body on each line."""

    name: str
    content: bytes
    requests: int
    operations: int

    @property
    def sha256(self) -> str:
        """Of `content` as it is stored."""
        return hashlib.sha256(self.content).hexdigest()


def bulk_id(run_id: str, line: int) -> str:
    """The operation's id: the version 5 UUID of this row of this run, the same each time it is planned.

    Put together by hand since `uuid.uuid5` takes three times as long, once for each row. RFC 9562 §5.5.
    """
    digest = hashlib.sha1(b"%b%b/%d" % (_NAMESPACE.bytes, run_id.encode(), line), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def request_files(rows: Iterable[PlannedRow], run_id: str) -> Iterator[RequestFileContent]:
    """The plan's bulk requests, in order, packed into files. `rows` come managers first."""
    operations = (bulk_operation(bulk_id(run_id, row.line), row.user) for row in rows)
    requests = ((bulk_request(group), len(group)) for group in _groups(operations, MAX_OPERATIONS))
    for number, group in enumerate(_groups(requests, REQUESTS_PER_FILE), start=1):
        text = b"".join(body + b"\n" for body, _ in group)
        yield RequestFileContent(
            name=f"requests/{number:04d}.ndjson.gz",
            content=gzip.compress(text, compresslevel=1, mtime=0),
            requests=len(group),
            operations=sum(count for _, count in group),
        )


def row_index(keys: Iterable[tuple[int, str]], run_id: str) -> Iterator[bytes]:
    """`rows.ndjson`: which line of the HR file is which operation of which request, in the plan's order.

    `keys` are line and externalId of each planned row.
    """
    for index, (line, external_id) in enumerate(keys):
        yield orjson.dumps(
            {
                "line": line,
                "externalId": external_id,
                "request": index // MAX_OPERATIONS + 1,
                "operation": index % MAX_OPERATIONS,
                "bulkId": bulk_id(run_id, line),
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )


@dataclass(frozen=True, slots=True)
class IndexedRow:
    """A line of `rows.ndjson`: requests count from 1, operations from 0."""

    line: int
    external_id: str
    request: int
    operation: int


def read_row_index(lines: Iterable[bytes]) -> Iterator[IndexedRow]:
    """The rows of `rows.ndjson`."""
    for line in lines:
        row = orjson.loads(line)
        yield IndexedRow(row["line"], row["externalId"], row["request"], row["operation"])


def request_bodies(content: bytes) -> list[bytes]:
    """The bodies in one request file, as they were planned."""
    return gzip.decompress(content).splitlines()


def part_of_request(body: bytes, start: int, stop: int) -> bytes:
    """A planned body cut down to some of its operations, which keep their bulkIds."""
    request = orjson.loads(body)
    request["Operations"] = request["Operations"][start:stop]
    return orjson.dumps(request)


def _groups(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group
