"""Planned rows to bulk request files: what will be posted, byte for byte.

Everything here is a function of the run id and the rows, so planning the same drop again gives the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import orjson
from isal import igzip

from shared.scim.bulk import MAX_OPERATIONS, bulk_operation, bulk_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.inbound.planning.working_set import PlannedRow

REQUESTS_PER_FILE = 200
"""10,000 operations: about 10 MB of JSON, 1 MB compressed."""
_INDEX_LINE = b'{"line":%d,"externalId":%b,"request":%d,"operation":%d,"bulkId":"%b"}\n'
"""A line of `rows.ndjson`: which line of the HR file is which operation of which request."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class RequestFileContent:
    """One `requests/NNNN.ndjson.gz`: a bulk request body on each line. `index`: its rows' lines of `rows.ndjson`."""

    name: str
    content: bytes
    requests: int
    operations: int
    index: bytes

    @property
    def sha256(self) -> str:
        """Of `content` as it is stored."""
        return hashlib.sha256(self.content).hexdigest()


def bulk_id(run_id: str, row: int) -> bytes:
    """The operation's id, the same each time the row is planned: a version 8 UUID (RFC 9562 §5.8).

    It begins with what is the run's and ends with the row's number in hexadecimal.
    """
    return b"%b%012x" % (_of_run(run_id), row)


def barriers(level_starts: Iterable[int], rows: int) -> list[int]:
    """The requests before which everything has to be with the API, so that managers come before their reports.

    Where a level begins in the middle of a request, that is one, for the levels above, and so is the next.

    Args:
        level_starts: places, in the plan's order, at which rows begin whose managers come before that place.
        rows: how many rows are planned.
    """
    found = set()
    for place in level_starts:
        request, inside = divmod(place, MAX_OPERATIONS)
        found.add(request + 1)
        if inside:
            found.add(request + 2)
    return sorted(number for number in found if 1 < number <= -(-rows // MAX_OPERATIONS))


def _of_run(run_id: str) -> bytes:
    digest = hashlib.sha256(run_id.encode()).hexdigest()
    variant = "89ab"[int(digest[15], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-8{digest[12:15]}-{variant}{digest[16:19]}-".encode()


def bulk_requests(rows: Iterable[PlannedRow], run_id: str) -> Iterator[bytes]:
    """The bodies of the plan's bulk requests, in order. `rows` come managers first."""
    return (body for body, _ in _requests(rows, run_id))


def request_files(rows: Iterable[PlannedRow], run_id: str) -> Iterator[RequestFileContent]:
    """The plan's bulk requests, in order, packed into files. `rows` come managers first."""
    for number, requests in enumerate(_groups(_requests(rows, run_id), REQUESTS_PER_FILE), start=1):
        index = [line for _, lines in requests for line in lines]
        text = b"".join([body + b"\n" for body, _ in requests])
        yield RequestFileContent(
            name=f"requests/{number:04d}.ndjson.gz",
            content=igzip.compress(text, compresslevel=1, mtime=0),
            requests=len(requests),
            operations=len(index),
            index=b"".join(index),
        )


def _requests(rows: Iterable[PlannedRow], run_id: str) -> Iterator[tuple[bytes, list[bytes]]]:
    """Each body, and the lines of `rows.ndjson` for its operations."""
    of_run = _of_run(run_id)
    for number, group in enumerate(_groups(rows, MAX_OPERATIONS), start=1):
        ids = [b"%b%012x" % (of_run, row[0]) for row in group]
        body = bulk_request([bulk_operation(id_, row[3]) for id_, row in zip(ids, group, strict=True)])
        index = [
            _INDEX_LINE % (row[1], row[2], number, place, id_)
            for place, (id_, row) in enumerate(zip(ids, group, strict=True))
        ]
        yield body, index


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


def part_of_request(body: bytes, operations: Iterable[int]) -> bytes:
    """A planned body cut down to the operations at these places, which keep their bulkIds."""
    request = orjson.loads(body)
    request["Operations"] = [request["Operations"][place] for place in operations]
    return orjson.dumps(request)


def _groups(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group
