"""Did a run post managers before their reports? By its rows and its ledger; shares no code with the connector."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.platform.accounting import run_blob

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from azure.storage.blob import BlobServiceClient

    Place = tuple[int, int]

_WAITS, _IN_FLIGHT, _DONE = "waits", "in flight", "done"


def order_faults(service: BlobServiceClient, run: dict[str, Any], managers: Mapping[str, str]) -> list[str]:
    """What is wrong with the order in which a run that is over was posted.

    Args:
        service: the storage account.
        run: its `run.json`.
        managers: by worker, as the run's file says.
    """
    rows = list(map(json.loads, run_blob(service, run, "rows.ndjson").splitlines()))
    lines = map(json.loads, run_blob(service, run, "ledger.ndjson").splitlines())
    places = {row["externalId"]: (row["request"], row["operation"]) for row in rows}
    replay = _Replay(places.values(), run["barriers"])
    for turn, line in enumerate(lines):
        replay.take_in(turn, line)
    pairs = [(places[m], places[w]) for w, m in managers.items() if m in places and w in places]
    return _without_barrier(pairs, run["barriers"]) + replay.too_early + replay.reports_before_managers()


def _without_barrier(pairs: list[tuple[Place, Place]], barriers: list[int]) -> list[str]:
    return [
        f"no barrier between a manager in request {manager[0]} and a report in request {report[0]}"
        for manager, report in pairs
        if manager > report or not (manager[0] == report[0] or any(manager[0] < b <= report[0] for b in barriers))
    ]


class _Replay:
    """The ledger, line by line. `too_early`: what was begun while something before a barrier waited to be posted."""

    def __init__(self, places: Iterable[Place], barriers: list[int]) -> None:
        self._barriers = barriers
        self._state = dict.fromkeys(places, _WAITS)
        self._begun: dict[tuple[int, int, int], int] = {}
        self._last_taken: dict[Place, int] = {}
        self._dropped: set[Place] = set()
        self.too_early: list[str] = []

    def take_in(self, turn: int, line: dict[str, Any]) -> None:
        match line["kind"]:
            case "session":
                self._become(_WAITS, [place for place, state in self._state.items() if state == _IN_FLIGHT])
            case "begun":
                for part in line["parts"]:
                    self._begun[tuple(part)] = turn
                    self._become(_IN_FLIGHT, _places(*part))
                for request, *_ in line["parts"]:
                    self._look_back(request, turn)
            case "answer":
                self._answer(line, _places(line["request"], line["start"], line["stop"]))
            case "superseded":
                gone = [(line["request"], operation) for operation in line["operations"]]
                self._dropped.update(gone)
                self._become(_DONE, gone)

    def _become(self, state: str, places: list[Place]) -> None:
        self._state |= {place: state for place in places if self._state[place] != _DONE}

    def _look_back(self, request: int, turn: int) -> None:
        barrier = max((number for number in self._barriers if number <= request), default=0)
        waiting = [place for place, state in self._state.items() if place[0] < barrier and state == _WAITS]
        if waiting:
            self.too_early.append(f"line {turn}: request {request} is begun while {waiting[0]} waits")

    def _answer(self, line: dict[str, Any], places: list[Place]) -> None:
        verdict = line["verdict"]
        if verdict == "accepted":
            turn = self._begun[line["request"], line["start"], line["stop"]]
            self._last_taken |= dict.fromkeys(places, turn)
        elif verdict in ("rejected", "split"):
            for place in places:
                self._last_taken.pop(place, None)
        self._become(_DONE if verdict in ("accepted", "rejected") else _WAITS, places)

    def reports_before_managers(self) -> list[str]:
        """Whom a newer run made stale is not posted again, so that the order of these can't be repaired."""
        found = []
        for barrier in self._barriers:
            sides = defaultdict(list)
            for place, turn in self._last_taken.items():
                if place not in self._dropped:
                    sides[place[0] < barrier].append(turn)
            if max(sides[True], default=-1) > min(sides[False], default=1_000_000):
                found.append(f"something behind barrier {barrier} was not posted again after what comes before it")
        return found


def _places(request: int, start: int, stop: int) -> list[Place]:
    return [(request, operation) for operation in range(start, stop)]
