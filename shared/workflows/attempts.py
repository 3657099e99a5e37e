"""How often the planning of a drop was begun and how it ended, so that nothing is tried for ever and nothing is lost.

The host retries what raises five times within seconds, then puts the event into a poison queue; a process that is
killed takes its error along. So each attempt is put down before it is made, and the fifth that fails becomes a run in
state `blocked`, which is planned anew every hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime, ValidationError

from shared.errors import BlobChangedError, Reason, error_kind
from shared.ports import RUNS
from shared.run.drop import Drop
from shared.run.record import Count, Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.ports import BlobStore, Clock

ATTEMPTS = "attempts.json"
MOST_ATTEMPTS = 5
"""As often as the host delivers an event: `poisonBlobThreshold` in host.json."""
RETRY_SECONDS = 3600.0
_MAX_RACES = 20


class _Count(Record):
    """`raised`: how many of those begun ended with an error; the others are running, or their process died.

    `event_came`: an event said that somebody dropped the file just then, whichever attempt it was that heard it.
    `blob`, `etag` and `dropped_at` are the drop's: once it is overwritten, nothing else tells that there was one.
    """

    blob: str | None = None
    etag: str | None = None
    dropped_at: AwareDatetime | None = None
    event_came: bool = False
    begun: Count = 0
    raised: Count = 0
    last_error: str | None = None
    first_begun_at: AwareDatetime | None = None
    last_begun_at: AwareDatetime | None = None


class Attempts:
    """The attempts at one drop, in `attempts.json` beside its plan.

    Only the holder of the drop's planning lease begins one. One that has lost it without noticing may still say how
    its own ended, and an event may come meanwhile, so each change is made to the newest version.
    """

    def __init__(self, drop: Drop, store: BlobStore, clock: Clock) -> None:
        """Reads what earlier attempts left."""
        self._store, self._clock = store, clock
        self._drop = drop
        self._name = f"{drop.feed}/{drop.run_id}/{ATTEMPTS}"
        self._count, self._etag = self._read()

    @property
    def are_used_up(self) -> bool:
        """It was begun so often that one more would be one too many."""
        return self._count.begun >= MOST_ATTEMPTS

    def remember_event(self) -> None:
        """An event came while somebody else has the drop; no other will come, whatever becomes of that attempt."""
        self._change(lambda count: count.model_copy(update={"event_came": True}))

    def event_came(self) -> bool:
        """Whether one has come by now, to this attempt, to an earlier one or beside it."""
        if not self._count.event_came:
            self._count, self._etag = self._read()
        return self._count.event_came

    def begin(self, *, by_event: bool = False) -> None:
        """Put down that there is one more, before it is made."""
        now = self._clock.now()
        self._change(
            lambda count: count.model_copy(
                update={
                    "blob": self._drop.blob_name,
                    "etag": self._drop.etag,
                    "dropped_at": self._drop.dropped_at,
                    "event_came": count.event_came or by_event,
                    "begun": count.begun + 1,
                    "first_begun_at": count.first_begun_at or now,
                    "last_begun_at": now,
                }
            )
        )

    def failed(self, error: Exception) -> None:
        """This one ended with an error; its kind is kept, its text could hold anything."""
        name = error_kind(error)
        self._change(lambda count: count.model_copy(update={"raised": count.raised + 1, "last_error": name}))

    def does_not_count(self) -> None:
        """This one ended for a reason that is not the file's."""
        self._change(lambda count: count.model_copy(update={"begun": max(0, count.begun - 1)}))

    def reason(self) -> Reason:
        """Why the drop has no plan."""
        return Reason(
            "planningFailed",
            f"The file could not be planned: {self._count.begun} attempts ended {self._how}. Nothing of it was sent.",
            "Look at the function app's exceptions in Application Insights. It is tried again every hour; newer files "
            "don't wait for it. If the file is at fault, drop a repaired one.",
        )

    @property
    def _how(self) -> str:
        error, death = self._count.last_error, "with the end of its process (killed, out of memory)"
        if not error:
            return death
        if self._count.raised >= self._count.begun:
            return f"with an unexpected error ({error})"
        return f"with an unexpected error (the last one: {error}) or {death}"

    def _change(self, step: Callable[[_Count], _Count]) -> None:
        for _ in range(_MAX_RACES):
            after = step(self._count)
            try:
                self._etag = self._write(after)
            except BlobChangedError:
                self._count, self._etag = self._read()
            else:
                self._count = after
                return
        raise BlobChangedError("attempts.json of a drop could not be updated")

    def _read(self) -> tuple[_Count, str | None]:
        found = self._store.read(RUNS, self._name)
        if found is None:
            return _Count(), None
        try:
            return _Count.model_validate_json(found.content), found.etag
        except ValidationError:
            return _Count(), found.etag

    def _write(self, count: _Count) -> str:
        content = count.model_dump_json(by_alias=True).encode()
        if self._etag is None:
            return self._store.create(RUNS, self._name, content)
        return self._store.replace(RUNS, self._name, content, self._etag)


def begun_drop(content: bytes) -> Drop | None:
    """The drop that an `attempts.json` is about; None where it does not tell, or can't be read."""
    try:
        count = _Count.model_validate_json(content)
    except ValidationError:
        return None
    if not (count.blob and count.etag and count.dropped_at):
        return None
    return Drop(count.blob, count.etag, count.dropped_at, 0)
