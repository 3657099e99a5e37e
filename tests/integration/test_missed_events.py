"""An event is a hint, the container is the truth."""

from __future__ import annotations

from azure.core.pipeline.transport import RequestsTransport

from tests.platform.hr_files import hr_csv, workers


def test_a_drop_whose_event_never_came_is_found(world):
    world.drop(hr_csv(*workers(3)))
    world.resume()
    assert world.runs() == [], "its event may still come"
    world.advance(hours=0.1)
    world.resume()
    world.report()
    assert world.faults() == []
    assert len(world.accounts()) == 3


def test_a_file_from_long_before_is_not_sent_but_refused(world):
    world.drop(hr_csv(*workers(3)))
    world.advance(hours=24 * 8)
    world.resume()
    assert (world.run()["state"], world.run()["reason"]["code"]) == ("refused", "dropTooOld")
    assert world.posts() == []


def test_a_file_that_is_still_being_written_is_left_alone_until_it_is_renamed(world):
    for name in ("workers.csv.tmp", "workers.csv.part", "workers.csv.filepart", ".workers.csv"):
        world.host.blob_created(world.drop(hr_csv(*workers(3)), name))
    world.advance(hours=0.1)
    world.resume()
    assert world.runs() == []
    world.upload(hr_csv(*workers(3)))
    world.report()
    assert len(world.accounts()) == 3


def test_a_drop_that_is_gone_when_its_event_comes_is_no_error(world):
    name = world.drop(hr_csv(*workers(3)))
    world.service.get_blob_client("hr-drop", name).delete_blob()
    world.host.blob_created(name)
    assert world.runs() == []


def test_a_file_that_is_overwritten_while_it_is_read_is_planned_in_its_new_version_only(world, monkeypatch):
    name, send, overwritten = world.drop(hr_csv(*workers(3))), RequestsTransport.send, []

    def overwritten_first(self, request, **options):
        if request.method == "GET" and "/hr-drop/contoso/" in request.url and not overwritten:
            overwritten.append(world.drop(hr_csv(*workers(100))))
        return send(self, request, **options)

    monkeypatch.setattr(RequestsTransport, "send", overwritten_first)
    world.host.blob_created(name)
    assert [(run["state"], run["reason"]["code"]) for run in world.runs()] == [("refused", "dropGone")]
    world.host.blob_created(name)
    world.host.blob_created(name)
    world.report()
    assert sorted((run["rows"], run["state"]) for run in world.runs()) == [(0, "refused"), (100, "settled")]
    assert world.faults() == []
    assert set(world.accepted().values()) == {1}
