"""One measurement: `python -m tests.bench.convert conversion|loop FILE FOLDER`."""

from __future__ import annotations

import csv
import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from shared.inbound.attribute_mapping import AttributeMapping, mapped_columns
from shared.inbound.bulk_request import request_files, row_index
from shared.inbound.feed_file import parse_feed
from shared.inbound.hr_file import HrFile
from shared.inbound.set_aside import set_aside_csv
from shared.inbound.working_set import WorkingSet
from tests.platform.feeds import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 4 * 1024 * 1024


def conversion(file: Path, folder: Path) -> None:
    """What `upload_hr_file` does between the blob and the stored plan."""
    feed = parse_feed((SAMPLES / "contoso.yaml").read_bytes())
    with WorkingSet() as working_set:
        hr_file = HrFile(chunks(file), feed.file, mapped_columns(feed))
        mapping = AttributeMapping(feed, hr_file.columns)
        working_set.load(map(mapping.map, hr_file.rows()))
        working_set.arrange()
        for part in request_files(working_set.planned(), "bench"):
            (folder / part.name.replace("/", "-")).write_bytes(part.content)
        write(folder / "rows.ndjson", row_index(working_set.planned_keys(), "bench"))
        write(folder / "set_aside.csv", set_aside_csv(working_set.problems()))


def loop(file: Path, folder: Path) -> None:
    """The least that could be called a conversion: csv in, requests of 50 out; no check, no order, no state."""
    with file.open(encoding="utf-8", newline="") as text, (folder / "requests.ndjson").open("wb") as out:
        operations = []
        for number, row in enumerate(csv.DictReader(text)):
            operations.append({"method": "POST", "bulkId": str(number), "path": "/Users", "data": plain_user(row)})
            if len(operations) == 50:
                out.write(orjson.dumps({"schemas": [], "Operations": operations}) + b"\n")
                operations = []
        out.write(orjson.dumps({"schemas": [], "Operations": operations}) + b"\n")


def plain_user(row: dict[str, str]) -> dict[str, object]:
    return {
        "schemas": [],
        "externalId": row["WorkerID"],
        "userName": (row["UserID"] or "").lower(),
        "active": row["WorkerStatus"] == "Active",
        "name": {"formatted": row["FullName"], "givenName": row["FirstName"], "familyName": row["LastName"]},
        "displayName": f"{row['NickName']} {row['LastName']}",
        "nickName": row["NickName"],
        "title": row["JobTitle"],
        "userType": row["WorkerType"],
        "preferredLanguage": row["Language"],
        "locale": row["Locale"],
        "timezone": row["TimeZone"],
        "emails": [{"type": "work", "value": row["Email"]}],
        "phoneNumbers": [{"type": "work", "value": row["Phone"]}],
        "addresses": [{"type": "work", "streetAddress": row["Street"], "locality": row["City"]}],
        "enterprise": {
            "costCenter": row["CostCenter"],
            "organization": row["Company"],
            "division": row["Division"],
            "department": row["Department"],
            "manager": {"value": row["ManagerID"]},
        },
    }


def chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as data:
        while chunk := data.read(_CHUNK):
            yield chunk


def write(file: Path, lines: Iterator[bytes]) -> None:
    with file.open("wb") as out:
        out.writelines(lines)


def peak_megabytes() -> float:
    """VmHWM, since a child's `ru_maxrss` begins at its parent's size; NaN where there is no /proc."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else float("nan")


if __name__ == "__main__":
    started = time.perf_counter()
    {"conversion": conversion, "loop": loop}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
    print(json.dumps({"seconds": time.perf_counter() - started, "peakMegabytes": peak_megabytes()}))
