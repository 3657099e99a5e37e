"""What plan and ledger alone say: what is left to send, what became of what was sent."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from shared.inbound.sending.ledger_entry import AnswerEntry, BegunEntry, Part, SessionEntry, SupersededEntry, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from shared.inbound.sending.ledger_entry import Entry


_OF_THE_ROWS = frozenset({Verdict.ACCEPTED, Verdict.REJECTED, Verdict.SPLIT})
"""Verdicts on what was posted; the others say how the API is."""


class Ledger:
    """What the entries say, and what follows from them. Grows by `add`."""

    def __init__(
        self, request_sizes: Sequence[int], entries: Iterable[Entry] = (), *, barriers: Sequence[int] = ()
    ) -> None:
        """Takes the plan and the entries in the order in which they were written.

        Args:
            request_sizes: operations in request 1, 2, …
            entries: from `read_ledger`.
            barriers: `RunRecord.barriers`. What was accepted beyond one before something on this side of it was posted
                once more is posted once more too, so that managers come first whatever had to be repeated.
        """
        self._barriers = sorted(barriers)
        self._again: dict[int, list[Part]] = {}
        self._parts_again = 0
        self._overtook: set[Part] = set()
        self._dropped: dict[int, set[int]] = {}
        self._sizes = tuple(request_sizes)
        self._left = {number: [Part(number, 0, size)] for number, size in enumerate(request_sizes, start=1)}
        self._superseded: dict[int, dict[int, SupersededEntry]] = {}
        self._settled: dict[int, dict[Part, AnswerEntry]] = {}
        self._last_settled = 0
        self._open: dict[Part, list[int]] = {}
        self._unknown: dict[int, set[int]] = {}
        self._doubtful: set[Part] = set()
        self._begun: dict[int, datetime] = {}
        self.parts_left = len(self._sizes)
        self.accepted_operations = 0
        self.rejected_operations = 0
        self.superseded_operations = 0
        self.throttled = 0
        self.repeated = 0
        self.rejected_in_a_row = 0
        self.last_sent_at: datetime | None = None
        self.troubled_since: datetime | None = None
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Take in one entry; an answer to something that is already settled changes nothing."""
        match entry:
            case SessionEntry():
                for left_open in list(self._open):
                    self._has_unknown_fate(left_open)
                self._overtook.clear()
            case BegunEntry():
                for part in entry.parts:
                    self._begin(Part(*part), entry.at)
            case AnswerEntry():
                self._answer(entry)
            case SupersededEntry():
                self._supersede(entry)

    def _begin(self, part: Part, at: datetime) -> None:
        place = bisect_right(self._barriers, part.request)
        if place < len(self._barriers):
            self._send_again_from(self._barriers[place])
        self._begun.setdefault(part.request, at)
        self.repeated += part in self._doubtful
        self._doubtful.discard(part)
        self._open[part] = self.operations_of(part)

    def _has_unknown_fate(self, part: Part) -> None:
        self._doubtful.add(part)
        self._unknown.setdefault(part.request, set()).update(self._open.pop(part, ()))

    def _send_again_from(self, barrier: int) -> None:
        """What is accepted there stays accepted; it is posted again, and what is then answered changes nothing.

        What is in flight there is posted again too, once it is accepted.
        """
        self._overtook |= {part for part in self._open if part.request >= barrier}
        if self._last_settled < barrier:
            return
        for number in [number for number in self._settled if number >= barrier]:
            for part, entry in self._settled[number].items():
                if entry.verdict is Verdict.ACCEPTED:
                    self._send_again(part)

    def _send_again(self, part: Part) -> None:
        again = self._again.setdefault(part.request, [])
        if part not in again and self.operations_of(part):
            again.append(part)
            self._doubtful.add(part)
            self._parts_again += 1
            self.parts_left += 1

    def _answer(self, entry: AnswerEntry) -> None:
        self.last_sent_at = max(self.last_sent_at or entry.sent_at, entry.sent_at)
        self.throttled += entry.verdict is Verdict.THROTTLED
        part = Part(entry.request, entry.start, entry.stop)
        if entry.verdict is Verdict.UNANSWERED:
            self._has_unknown_fate(part)
        self._open.pop(part, None)
        overtook = part in self._overtook
        self._overtook.discard(part)
        left = self._left.get(entry.request, [])
        again = self._again.get(entry.request, [])
        if entry.status != 401:  # an old token says nothing of the API
            self.troubled_since = (self.troubled_since or entry.answered_at) if _is_trouble(entry) else None
        if part in again and entry.verdict in _OF_THE_ROWS and not overtook:
            again.remove(part)
            self._parts_again -= 1
            self.parts_left -= 1
        if part not in left:
            return
        if entry.verdict in (Verdict.ACCEPTED, Verdict.REJECTED):
            self._settle(part, entry)
            if overtook and entry.verdict is Verdict.ACCEPTED:
                self._send_again(part)
        elif entry.verdict is Verdict.SPLIT and len(self.operations_of(part)) > 1:
            place = left.index(part)
            left[place : place + 1] = self._halves(part)
            self.parts_left += 1

    def _settle(self, part: Part, entry: AnswerEntry) -> None:
        self._left[part.request].remove(part)
        self.parts_left -= 1
        self._settled.setdefault(part.request, {})[part] = entry
        self._last_settled = max(self._last_settled, part.request)
        size = len(self.operations_of(part))
        self.rejected_in_a_row = 0 if entry.verdict is Verdict.ACCEPTED else self.rejected_in_a_row + size
        if entry.verdict is Verdict.ACCEPTED:
            self.accepted_operations += size
        else:
            self.rejected_operations += size

    def _supersede(self, entry: SupersededEntry) -> None:
        """Only what is still to be sent can be superseded; what is accepted is just not posted again."""
        self._drop(entry)
        gone = self._superseded.setdefault(entry.request, {})
        left = self._left.get(entry.request, [])
        for operation in entry.operations:
            if operation not in gone and any(part.start <= operation < part.stop for part in left):
                gone[operation] = entry
                self.superseded_operations += 1
        still = [part for part in left if self.operations_of(part)]
        self.parts_left -= len(left) - len(still)
        self._left[entry.request] = still

    def _drop(self, entry: SupersededEntry) -> None:
        if self._barriers:
            self._dropped.setdefault(entry.request, set()).update(entry.operations)
        again = self._again.get(entry.request, [])
        if again:
            still = [part for part in again if self.operations_of(part)]
            self._parts_again -= len(again) - len(still)
            self.parts_left -= len(again) - len(still)
            self._again[entry.request] = still

    def _halves(self, part: Part) -> tuple[Part, Part]:
        operations = self.operations_of(part)
        middle = operations[len(operations) // 2]
        return Part(part.request, part.start, middle), Part(part.request, middle, part.stop)

    def operations_of(self, part: Part) -> list[int]:
        """The places, in the planned request, of the operations that the part posts."""
        gone, dropped = self._superseded.get(part.request, {}), self._dropped.get(part.request, ())
        return [place for place in range(part.start, part.stop) if place not in gone and place not in dropped]

    def is_whole(self, part: Part) -> bool:
        """Whether the part is its request, byte for byte as planned."""
        return len(self.operations_of(part)) == self._sizes[part.request - 1]

    @property
    def repeats_order(self) -> bool:
        """Something is to be posted once more only since it has overtaken what comes before a barrier."""
        return self._parts_again > 0

    def left(self) -> Iterator[Part]:
        """What is still to be sent, in the plan's order."""
        for number in sorted(self._left):
            yield from self.left_of(number)

    def left_of(self, request: int) -> list[Part]:
        """What is still to be sent of one planned request."""
        return sorted([*self._left.get(request, ()), *self._again.get(request, ())])

    def may_be_posted(self) -> Callable[[int], list[Part]]:
        """By request: what is left, and what is accepted beyond a barrier and may have to be posted once more."""
        first = next(self.left(), None)
        place = bisect_right(self._barriers, first.request) if first else len(self._barriers)
        barrier = self._barriers[place] if place < len(self._barriers) else self.requests + 1

        def of(request: int) -> list[Part]:
            settled = self._settled.get(request, {}) if request >= barrier else {}
            accepted = [part for part, entry in settled.items() if entry.verdict is Verdict.ACCEPTED]
            return [*self.left_of(request), *accepted]

        return of

    def begun(self, request: int) -> datetime | None:
        """A moment before which no part of this request was posted; None where none was."""
        return self._begun.get(request)

    @property
    def has_begun(self) -> bool:
        """Something was posted, or was about to be."""
        return bool(self._begun)

    def may_be_taken(self, request: int, operation: int) -> bool:
        """Whether the API has this operation, or may have it: posted, and nobody knows what was answered."""
        if operation in self._unknown.get(request, ()):
            return True
        if any(operation in places for part, places in self._open.items() if part.request == request):
            return True
        return operation not in self.superseded(request) and any(
            entry.verdict is Verdict.ACCEPTED and part.start <= operation < part.stop
            for part, entry in self._settled.get(request, {}).items()
        )

    def answered(self, request: int) -> list[tuple[Part, AnswerEntry]]:
        """The settled parts of one planned request, each with the entry that settled it."""
        return list(self._settled.get(request, {}).items())

    def superseded(self, request: int) -> dict[int, SupersededEntry]:
        """The operations of one planned request that are not sent any more, each with what said so."""
        return self._superseded.get(request, {})

    @property
    def requests(self) -> int:
        """How many requests the plan has."""
        return len(self._sizes)

    @property
    def is_complete(self) -> bool:
        """Nothing is left to send."""
        return self.parts_left == 0

    def whole_requests(self) -> tuple[int, int]:
        """How many planned requests are answered to the end: all accepted, and with something rejected."""
        done = {number for number, left in self._left.items() if not left and self._settled.get(number)}
        rejected = {n for n in done if any(e.verdict is Verdict.REJECTED for e in self._settled[n].values())}
        return len(done - rejected), len(rejected)


def _is_trouble(entry: AnswerEntry) -> bool:
    """The API is busy, down or out of reach; a verdict and a refusal that needs a repair are no trouble of its own."""
    if entry.verdict in _OF_THE_ROWS:
        return False
    return entry.status is None or entry.status in (408, 429) or entry.status >= 500
