"""Where the API refuses row after row: few calls, few rows, and newer files go on."""

from __future__ import annotations

from shared.bootstrap import connector
from tests.platform.hr_files import hr_csv, workers


def test_a_file_that_is_rejected_as_a_whole_does_not_hold_up_the_next_one(world):
    world.entra.change(rejectExternalIds=[f"W{number:05d}" for number in range(1, 121)])
    world.upload(hr_csv(*workers(120)), "bad.csv")
    world.later()
    world.upload(hr_csv(*workers(5, first=500)), "good.csv")
    world.report()
    assert (world.run("bad.csv")["state"], world.run("good.csv")["counts"]["created"]) == ("blocked", 5)
    rejected = world.run("bad.csv")["counts"]["rejected"]
    world.advance(hours=1.2)
    connector.cache_clear()
    world.resume()
    assert (world.run("bad.csv")["state"], world.run("bad.csv")["reason"]["code"]) == ("blocked", "everythingRejected")
    assert world.run("bad.csv")["counts"]["rejected"] == rejected + 2, "each time it gets further, and costs little"


def test_a_400_that_begins_in_the_middle_stops_the_run_too(world):
    world.entra.post("faults", {"on": "bulkUpload", "after": 1, "status": 400, "times": None})
    run = world.upload(hr_csv(*workers(300)))
    assert (run["state"], run["reason"]["code"]) == ("blocked", "everythingRejected")
    counts = run["counts"]
    assert (counts["accepted"], counts["rejected"] + counts["planned"]) == (50, 250)
    assert 10 <= counts["rejected"] <= 60


def test_ten_rejected_rows_that_are_all_there_is_are_simply_rejected(world):
    world.entra.post("faults", {"on": "bulkUpload", "status": 400, "times": None})
    run = world.upload(hr_csv(*workers(10)))
    assert (run["state"], run["counts"]["rejected"]) == ("settled", 10)


def test_a_400_on_everything_stops_after_a_few_rows(world):
    world.entra.post("faults", {"on": "bulkUpload", "status": 400, "times": None})
    run = world.upload(hr_csv(*workers(120)))
    assert (run["state"], run["reason"]["code"]) == ("blocked", "everythingRejected")
    assert run["counts"]["rejected"] + run["counts"]["planned"] == 120
    assert 10 <= run["counts"]["rejected"] <= 15
    assert len(world.posts()) < 40
