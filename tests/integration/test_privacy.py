"""Nothing of a person reaches a log message or a summary."""

from __future__ import annotations

import logging

from tests.demo.company import COLUMNS, company


def test_no_cell_of_any_row_is_in_the_logs_or_the_summaries(world, caplog, tmp_path):
    made = company(200, bad_percent=8)
    made.write(tmp_path / "company.csv")
    world.entra.change(rejectExternalIds=["100150"])
    dropped = world.drop((tmp_path / "company.csv").read_bytes(), "file of Ms. Secret.csv")
    caplog.clear()  # what the test's own upload has logged is not the connector's
    world.host.blob_created(dropped)
    world.report()
    assert world.run("file of Ms. Secret.csv")["counts"]["failed"]
    logs = caplog.text  # formatted, so with whatever an exception would say
    summaries = world.service.get_container_client("summaries")
    told = logs + "".join(summaries.download_blob(n, encoding="utf-8").readall() for n in summaries.list_blob_names())
    assert "rows.failed" in told
    personal = ("WorkerID", "UserID", "FullName", "LastName", "Email", "Phone", "Street", "HireDate")
    cells = {row[COLUMNS.index(c)] for row in made.rows for c in personal if len(row) > COLUMNS.index(c)}
    leaked = {cell for cell in cells | {"Secret"} if len(cell.strip()) > 3 and cell in told}
    assert leaked == set()


def test_libraries_say_nothing_below_a_warning(world, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    world.upload("nothing,of,use\n")
    chatty = {r.name for r in caplog.records if r.levelno < logging.WARNING and r.name.split(".")[0] != "hr_connector"}
    assert {name for name in chatty if name.startswith(("azure", "httpx", "httpcore", "msal", "urllib3"))} == set()
