"""Lines of the ledger as they are written and read."""

from __future__ import annotations

import pytest

from shared.inbound.sending.ledger_entry import (
    Verdict,
    ledger_line,
    read_ledger,
)
from tests.unit.builders import NOON, after, entry
from tests.unit.inbound.sending.ledger_lines import begun, session, superseded


def test_every_kind_of_entry_survives_being_written():
    entries = [session(), begun((1, 0, 2), (2, 0, 1)), entry(note="noLocation"), superseded(1, 0, by_run=None)]
    assert list(read_ledger(b"".join(map(ledger_line, entries)))) == entries


def test_entries_come_back_from_their_lines_as_they_were():
    entries = [
        entry(),
        entry(Verdict.REJECTED, 2, 3, 4, status=400, code="badRequest", message="Zoë\n\u2028", request_id="r"),
        entry(Verdict.UNANSWERED, status=None, sent_at=after(seconds=0.123456)),
    ]
    content = b"".join(map(ledger_line, entries))
    assert content.count(b"\n") == 3
    assert list(read_ledger(content)) == entries


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n  \n"])
def test_blank_lines_are_no_entries(content: bytes):
    assert list(read_ledger(content)) == []
    assert list(read_ledger(content + ledger_line(entry()) + content)) == [entry()]


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"null",
        b"secret",
        b"\xff\xfe",
        ledger_line(entry())[:-20],
        ledger_line(entry()).replace(b"accepted", b"perhaps"),
        ledger_line(entry()).replace(b'"request":1', b'"request":"one"'),
        ledger_line(entry()).replace(NOON.isoformat().encode()[:10], b"yesterday"),
        ledger_line(entry()).strip() * 2,
        ledger_line(entry()).replace(b"{", b'{"more":"secret",', 1),
    ],
)
def test_a_line_that_can_not_be_read_is_an_error_with_its_number_and_not_its_content(line: bytes):
    content = ledger_line(entry()) + line.rstrip(b"\n") + b"\n" + ledger_line(entry(request=2))
    with pytest.raises(ValueError, match=r"^line 2 of the ledger is no ledger entry$"):
        list(read_ledger(content))
