"""A small JSON blob of `state/` that several processes change, by compare-and-swap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from shared.errors import BlobChangedError
from shared.ports import STATE
from shared.run.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.ports import BlobStore, Clock

_MOST_RACES = 50

T = TypeVar("T", bound=Record)


class StateDocument(Generic[T]):
    """The version last seen is tried first, so that nothing is read while nobody interferes. Thread-safe."""

    def __init__(self, store: BlobStore, clock: Clock, name: str, parse: Callable[[bytes | None], T]) -> None:
        """`parse`: makes a value of the blob's bytes, or of None where there is no blob; it raises nothing."""
        self._store, self._clock, self._name, self._parse = store, clock, name, parse
        self._known: tuple[T, str | None] | None = None

    def change(self, step: Callable[[T], T]) -> T:
        """Replace the newest version by what `step` makes of it, which is called again when somebody came in between.

        Raises:
            BlobChangedError: somebody always did.
        """
        known = self._known
        for _ in range(_MOST_RACES):
            value, etag = known or self._read()
            after = step(value)
            if after == value:
                if known is None:
                    return after
                known = None
                continue
            try:
                self._known = (after, self._write(after, etag))
            except BlobChangedError:
                if known is None:
                    self._clock.sleep(0.1 * self._clock.jitter())
                known = None
            else:
                return after
        raise BlobChangedError(f"{self._name} could not be updated")

    def _read(self) -> tuple[T, str | None]:
        found = self._store.read(STATE, self._name)
        return self._parse(found.content if found else None), found.etag if found else None

    def _write(self, value: T, etag: str | None) -> str:
        content = value.model_dump_json(by_alias=True).encode()
        if etag is None:
            return self._store.create(STATE, self._name, content)
        return self._store.replace(STATE, self._name, content, etag)
