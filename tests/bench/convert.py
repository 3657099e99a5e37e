"""One measurement: `python -m tests.bench.convert conversion|stages|loop|same FILE FOLDER`."""

from __future__ import annotations

import csv
import json
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from shared.adapters.workbook_reader import read_workbook
from shared.inbound.mapping.attribute_mapping import AttributeMapping
from shared.inbound.planning.bulk_request import request_files
from shared.inbound.planning.conversion import convert, open_working_set
from shared.inbound.planning.set_aside import set_aside_csv
from shared.inbound.reading.hr_file import HrFile
from shared.scim.user import CORE_USER, ENTERPRISE_USER
from tests.bench.files import bench_feed
from tests.bench.process import peak_megabytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.inbound.planning.working_set import WorkingSet

_CHUNK = 4 * 1024 * 1024
_CUSTOM = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User"


def conversion(file: Path, folder: Path) -> None:
    """What `upload_hr_file` does between the blob and the stored plan."""
    feed = bench_feed()
    with open_working_set(feed) as working_set:
        converted = convert(chunks(file), feed, working_set, datetime.now(UTC), read_workbook=read_workbook)
        write_plan(working_set, converted.columns, folder)


def stages(file: Path, folder: Path) -> dict[str, float]:
    """The conversion with a clock between its stages: seconds of each."""
    feed, spent = bench_feed(), {"read": 0.0, "map and check": 0.0}
    clock = time.perf_counter

    def mapped() -> Iterator[object]:
        batches = hr_file.batches()
        while True:
            started = clock()
            batch = next(batches, None)
            spent["read"] += clock() - started
            if batch is None:
                return
            started = clock()
            result = mapping.map(batch)
            spent["map and check"] += clock() - started
            yield result

    hr_file = HrFile(chunks(file), feed.file, feed.mapped_columns, read_workbook)
    mapping = AttributeMapping(feed, hr_file.columns, date.today(), typed_dates=hr_file.has_typed_dates)
    with open_working_set(feed) as working_set:
        started = clock()
        working_set.load(mapped())
        spent["take into the working set"] = clock() - started - sum(spent.values())
        started = clock()
        working_set.arrange()
        spent["find doubles, put in order"] = clock() - started
        started = clock()
        write_plan(working_set, hr_file.columns, folder)
        spent["write the plan"] = clock() - started
    return spent


def write_plan(working_set: WorkingSet, columns: list[str], folder: Path) -> None:
    with (folder / "rows.ndjson").open("wb") as index:
        for part in request_files(working_set.planned(), "bench"):
            (folder / part.name.replace("/", "-")).write_bytes(part.content)
            index.write(part.index)
    with (folder / "set_aside.csv").open("wb") as out:
        out.writelines(set_aside_csv(working_set.set_aside(), columns))


def loop(file: Path, folder: Path) -> None:
    """The least that could be called a conversion: csv in, requests of 50 out; no check, no order, no state."""
    _write_loop(file, folder, plain_user)


def same(file: Path, folder: Path) -> None:
    """The loop again, but for the very users that the conversion makes of good rows: no blanks, dates in ISO 8601."""
    _write_loop(file, folder, same_user)


def _write_loop(file: Path, folder: Path, user) -> None:
    with file.open(encoding="utf-8", newline="") as text, (folder / "requests.ndjson").open("wb") as out:
        operations = []
        for number, row in enumerate(csv.DictReader(text)):
            operations.append({"method": "POST", "bulkId": str(number), "path": "/Users", "data": user(row)})
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
        "name": {"givenName": row["FirstName"], "familyName": row["LastName"]},
        "displayName": f"{row['NickName']} {row['LastName']}",
        "nickName": row["NickName"],
        "title": row["JobTitle"],
        "userType": row["WorkerType"],
        "preferredLanguage": row["Language"],
        "locale": row["Locale"],
        "timezone": row["TimeZone"],
        "emails": [{"type": "work", "value": row["Email"]}],
        "phoneNumbers": [{"type": "work", "value": row["Phone"]}],
        "addresses": [
            {
                "type": "work",
                "streetAddress": row["Street"],
                "locality": row["City"],
                "postalCode": row["Zip"],
                "country": row["Country"],
            }
        ],
        "enterprise": {
            "employeeNumber": row["WorkerID"],
            "costCenter": row["CostCenter"],
            "organization": row["Company"],
            "department": row["Department"],
            "manager": {"value": row["ManagerID"]},
        },
        "contoso": {"hireDate": row["HireDate"]},
    }


def same_user(row: dict[str, str]) -> dict[str, object]:
    user = {
        "schemas": [CORE_USER, ENTERPRISE_USER, _CUSTOM],
        "externalId": row["WorkerID"].strip(),
        "userName": row["UserID"].strip().lower(),
        "active": row["WorkerStatus"] in ("Active", "On Leave"),
        "displayName": f"{row['NickName'].strip()} {row['LastName'].strip()}",
        "nickName": row["NickName"],
        "title": row["JobTitle"],
        "userType": row["WorkerType"],
        "preferredLanguage": row["Language"],
        "locale": row["Locale"],
        "timezone": row["TimeZone"],
        "name": _filled({"givenName": row["FirstName"], "familyName": row["LastName"]}),
        "emails": [{"type": "work", "value": row["Email"].strip().lower()}],
        "phoneNumbers": [{"type": "work", "value": row["Phone"]}],
        "addresses": [
            {
                "type": "work",
                **_filled(
                    {
                        "streetAddress": row["Street"],
                        "locality": row["City"],
                        "postalCode": row["Zip"],
                        "country": row["Country"],
                    }
                ),
            }
        ],
        ENTERPRISE_USER: _filled(
            {
                "employeeNumber": row["WorkerID"],
                "costCenter": row["CostCenter"],
                "organization": row["Company"],
                "department": row["Department"],
                "manager": {"value": row["ManagerID"]} if row["ManagerID"] else "",
            }
        ),
        _CUSTOM: {"hireDate": datetime.strptime(row["HireDate"], "%d/%m/%Y").isoformat() + "Z"},
    }
    return _filled(user)


def _filled(attributes: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in attributes.items() if value != ""}


def chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as data:
        while chunk := data.read(_CHUNK):
            yield chunk


if __name__ == "__main__":
    started = time.perf_counter()
    work = {"conversion": conversion, "stages": stages, "loop": loop, "same": same}[sys.argv[1]]
    told = work(Path(sys.argv[2]), Path(sys.argv[3]))
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peakMegabytes": peak_megabytes(), "stages": told or {}}))
