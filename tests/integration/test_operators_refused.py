"""How long a file that was refused is one that needs a person."""

from __future__ import annotations

import time

from tests.platform.hr_files import hr_csv, workers


def test_a_file_that_was_refused_needs_a_person_for_a_week(world, terminal):
    refused = world.upload(b"", "empty.csv")
    assert terminal.json("runs")[0] == 1
    status, out, _ = terminal.run("show", refused["run"])
    assert (status, "Nothing of this file was sent" in out, "Nothing has to be done" in out) == (1, True, False)
    world.advance(hours=8 * 24)
    assert terminal.json("runs")[0] == 0


def test_a_file_that_was_refused_needs_nobody_once_one_of_its_name_and_feed_is_taken(world, terminal):
    refused = [world.upload(content, "daily.csv")["run"] for content in (b"", b"nothing,useful\n1,2\n")]
    status, listed = terminal.json("runs")
    assert (status, [line["run"] for line in listed if line["needsPerson"]]) == (1, refused)
    assert f"Needs a person: {refused[0]}, {refused[1]}." in terminal.run("runs")[2]
    world.upload(hr_csv(*workers(1)), "other.csv")
    world.put_feed(name="second")
    world.upload(hr_csv(*workers(1)), "daily.csv", "second")
    assert terminal.json("runs")[0] == 1
    assert "runs refused" in [one["check"] for one in terminal.json("doctor")[1]]
    time.sleep(1.05)
    world.upload(hr_csv(*workers(2)), "daily.csv")
    status, listed = terminal.json("runs")
    assert (status, [line["needsPerson"] for line in listed]) == (0, [False] * 5)
    assert terminal.run("runs", "--state", "refused")[::2] == (0, "")
    assert "runs refused" not in [one["check"] for one in terminal.json("doctor")[1]]


def test_a_file_that_is_refused_after_one_of_its_name_was_taken_needs_a_person(world, terminal):
    world.upload(hr_csv(*workers(1)), "daily.csv")
    time.sleep(1.05)
    world.upload(b"", "daily.csv")
    assert terminal.json("runs")[0] == 1
