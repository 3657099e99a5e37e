"""A sender without its I/O: what it does with plan, ledger lines and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.inbound.sending.answer import Answer, Attempt, Step, next_step
from shared.inbound.sending.course import Course
from shared.inbound.sending.ledger import Ledger
from shared.inbound.sending.ledger_entry import (
    BegunEntry,
    Part,
    SessionEntry,
    SupersededEntry,
    ledger_line,
    read_ledger,
)
from tests.unit.builders import NOON, entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Sender:
    """One session of a sender: puts down what it posts and what was answered, as lines, and acts on it."""

    def __init__(
        self,
        sizes: Sequence[int],
        lines: list[bytes],
        barriers: Sequence[int] = (),
        limit: int = 4,
        *,
        is_doubted: bool = False,
    ) -> None:
        self.sizes, self.lines, self.barriers, self.limit = sizes, lines, barriers, limit
        self.ledger = Ledger(sizes, read_ledger(b"".join(lines)), barriers=barriers)
        self.course = Course(self.ledger, barriers, limit, was_refused=is_doubted)
        self.now = 0.0
        self._write(SessionEntry(session="s", at=NOON))

    def successor(self, *, is_doubted: bool = False) -> Sender:
        """A session that knows what this one has put down."""
        return Sender(self.sizes, self.lines, self.barriers, self.limit, is_doubted=is_doubted)

    def _write(self, line: Any) -> None:
        self.lines.append(ledger_line(line))
        self.ledger.add(line)

    def supersede(self, request: int, places: Iterable[int]) -> None:
        self._write(SupersededEntry(request=request, operations=tuple(places), by_run="newer", at=NOON))

    def begin(self) -> Part | None:
        """Post one more part, if one may be posted."""
        part = self.course.next_part()
        if part:
            self.now += 1.0
            self._write(BegunEntry(session="s", at=NOON, parts=((part.request, part.start, part.stop),)))
            self.course.begin(part, self.now)
        return part

    def begin_all(self) -> list[Part]:
        return list(iter(self.begin, None))

    def answer(self, part: Part, step: Step) -> bool:
        self.now += 1.0
        self._write(entry(step.verdict, part.request, part.start, part.stop))
        return self.course.answered(part, step, self.now)

    def post(self, step: Step) -> Part:
        """Post one part and have it answered."""
        part = self.begin()
        assert part
        self.answer(part, step)
        return part

    def unauthorised(self, part: Part) -> Step:
        """What the answer 401 to this part means, as the sender asks."""
        is_fresh = self.course.in_flight[part].token > 0
        return next_step(Answer(401), Attempt(1, self.course.tries(part), is_fresh, 0.5, NOON))
