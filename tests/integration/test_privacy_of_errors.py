"""What leaves a trigger as an exception is logged by the host, so it holds nothing that the connector has read."""

from __future__ import annotations

import logging
import re
import socket
import socketserver
import threading
import traceback
from typing import TYPE_CHECKING

import pytest
from azure.core.pipeline.transport import HttpTransport
from azure.storage.blob import BlobClient, ContainerClient
from pydantic import TypeAdapter

from shared.bootstrap import connector
from shared.cli.commands import main
from shared.errors import ConfigurationError, StepFailedError
from tests.platform.hr_files import hr_csv, workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.conftest import World

FILE = "Leaver Secret.csv"
TRIGGERS = ("upload_hr_file", "resume_uploads", "report_provisioning")


@pytest.fixture
def dropped(world, monkeypatch, caplog) -> str:
    """A drop whose name is personal data; from here on everything that a log could get is kept."""
    monkeypatch.setattr(HttpTransport, "sleep", lambda _self, _seconds: None)
    name = world.drop(hr_csv(*workers(2)), FILE)
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    return name


def connect_with(world: World, monkeypatch: pytest.MonkeyPatch, **instead: str) -> None:
    """The connection string with another endpoint or key."""
    parts = dict(part.split("=", 1) for part in world.connection_string.split(";") if part)
    monkeypatch.setenv("HR_STORAGE", ";".join(f"{name}={value}" for name, value in {**parts, **instead}.items()))


def unreachable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens where storage should be."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    connect_with(world, monkeypatch, BlobEndpoint=f"http://127.0.0.1:{port}/{world.account}")


def refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Storage answers 403: the account key is another."""
    connect_with(world, monkeypatch, AccountKey="c29tZWJvZHkgZWxzZSdzIGtleQ==")


def unforeseen(_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK hands over something that is no answer; the error quotes it, as pydantic's do."""

    def quote(*_args: object, **_options: object) -> Iterator[object]:
        try:
            TypeAdapter(int).validate_python(FILE)
        except ValueError as error:
            raise ValueError(f"{FILE} is odd") from error
        yield

    monkeypatch.setattr(BlobClient, "get_blob_properties", lambda *_args, **_options: next(quote()))
    monkeypatch.setattr(ContainerClient, "list_blobs", quote)


def raised_by(world: World, trigger: str, dropped: str) -> BaseException:
    connector.cache_clear()
    with pytest.raises(Exception) as raised:  # noqa: PT011 - which one it is, is what the tests ask
        world.host.blob_created(dropped) if trigger == "upload_hr_file" else world.host.fire(trigger)
    return raised.value


def told_by(error: BaseException) -> str:
    """Whatever a logger could print of it: with its traceback, and with each error that it came from."""
    chain: list[BaseException] = [error]
    for one in chain:
        chain += [before for before in (one.__cause__, one.__context__) if before and before not in chain]
    return "".join(text for one in chain for text in (repr(one), *traceback.format_exception(one)))


@pytest.mark.parametrize("trigger", TRIGGERS)
@pytest.mark.parametrize(
    ("break_down", "words"),
    [(unreachable, "ServiceRequestError"), (refused, "status 403, AuthorizationFailure"), (unforeseen, "ValueError")],
)
def test_a_foreign_error_leaves_by_its_class_only(
    world, dropped, caplog, monkeypatch, trigger: str, break_down: Callable[..., None], words: str
):
    break_down(world, monkeypatch)
    error = raised_by(world, trigger, dropped)
    assert type(error) is StepFailedError
    assert str(error).startswith(f"{trigger} stopped at an error that is not its own: ")
    assert words in str(error)
    assert "Secret" not in told_by(error)
    assert "Secret" not in caplog.text
    assert error.__cause__ is error.__context__ is None


class Garbled(socketserver.StreamRequestHandler):
    """What a broken proxy could answer: no header that is one."""

    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nno header\r\n\r\n")


def test_an_answer_that_can_not_be_read_is_logged_without_the_url_that_was_asked(world, dropped, caplog, monkeypatch):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Garbled) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        connect_with(world, monkeypatch, BlobEndpoint=f"http://127.0.0.1:{proxy.server_address[1]}/{world.account}")
        error = raised_by(world, "upload_hr_file", dropped)
        proxy.shutdown()
    assert "Secret" not in told_by(error)
    assert "Secret" not in caplog.text


def test_the_traceback_of_a_foreign_error_still_leads_to_where_it_came_from(world, dropped, monkeypatch):
    unreachable(world, monkeypatch)
    error = raised_by(world, "upload_hr_file", dropped)
    frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert "get_blob_properties" in frames


def test_an_own_error_leaves_as_it_is_and_without_what_it_came_from(world, dropped):
    world.service.delete_container("hr-drop")
    error = raised_by(world, "upload_hr_file", dropped)
    assert type(error) is ConfigurationError
    assert error.__cause__ is error.__context__ is None
    assert "Secret" not in told_by(error)


def test_what_ends_the_process_is_left_alone(world, dropped, monkeypatch):
    def end(*_args: object, **_options: object) -> None:
        raise SystemExit(3)

    monkeypatch.setattr(BlobClient, "get_blob_properties", end)
    connector.cache_clear()
    with pytest.raises(SystemExit):
        world.host.blob_created(dropped)


def test_a_drop_that_can_not_be_planned_by_a_timer_is_told_without_its_name(world, dropped, caplog, monkeypatch):
    monkeypatch.setattr(BlobClient, "download_blob", lambda *_a, **_o: (_ for _ in ()).throw(ValueError(FILE)))
    world.advance(hours=0.2)
    connector.cache_clear()
    world.resume()
    told = [event for event in world.events() if event["event"] == "drop.notPlanned"]
    assert [(event["error"], event.get("detail")) for event in told] == [("ValueError", None)]
    assert re.fullmatch(r"shared\.adapters\.blob_storage:\d+", told[0]["at"])
    assert "Secret" not in caplog.text


def test_a_command_that_fails_logs_nothing_of_the_file_that_it_names(world, dropped, caplog, tmp_path, monkeypatch):
    """What it prints goes to the person's own terminal."""
    (tmp_path / FILE).write_text(hr_csv(*workers(2)))
    unreachable(world, monkeypatch)
    assert main(["send", str(tmp_path / FILE), "--feed", "contoso"]) == 2
    assert "Secret" not in caplog.text
