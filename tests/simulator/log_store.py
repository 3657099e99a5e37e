"""Provisioning log records, kept in order of time."""

from bisect import bisect_left, bisect_right

from tests.simulator.log_record import LogRecord


class LogStore:
    """Only ever appended to, so a record's place in the list is a stable key for paging."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self._times: list[float] = []

    def append(self, record: LogRecord) -> None:
        """Add a record; times never go back."""
        self.records.append(record)
        self._times.append(record.change.due)

    def latest(self) -> float:
        """Time of the last record; 0 while there is none."""
        return self._times[-1] if self._times else 0

    def visible(self, now: float, *, delay: float, retention: float) -> range:
        """Places of the records that a reader may see: old enough to be written, young enough to be kept.

        Source: "issues" page (logs appear 5 to 10 minutes later); provisioning logs page (30 or 7 days).
        """
        return range(bisect_left(self._times, now - retention), bisect_right(self._times, now - delay))
