"""A made-up company as an HR system would export it: a manager tree, and about one bad row in a hundred.

Everything follows from the seed, so that a test can count on what it gets.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = [
    *("WorkerID", "UserID", "WorkerStatus", "FullName", "FirstName", "MiddleName", "LastName", "Prefix", "Suffix"),
    *("NickName", "JobTitle", "WorkerType", "Language", "Locale", "TimeZone", "Email", "Phone"),
    *("Street", "City", "State", "Zip", "Country"),
    *("CostCenter", "Company", "Division", "Department", "ManagerID", "HireDate"),
]
_FIRST = "Amélie Björn Chiara Dmitri Eun-ji Fatima Grace Håkon Ines João Keiko Liam Mei Noor Oluwaseun Paweł Quinn Rosa"
_LAST = "O'Brien van der Berg McDonald Müller Nguyễn Østergaard Papadopoulos Ramírez Šimić Tanaka Ueda Weiß Zhao"
_DEPARTMENTS = {"Operations": "Coordinator", "Finance": "Analyst", "Engineering": "Engineer", "Sales": "Advisor"}
_REPORTS = 8
_FIRST_ID = 100000


@dataclass(frozen=True)
class Company:
    """The rows as lists of cells below the header, and how many of them were made bad, by kind."""

    rows: list[list[str]]
    bad: dict[str, int]

    def write(self, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(self.rows)


def company(workers: int, *, seed: int = 1, bad_percent: float = 1.0) -> Company:
    """That many workers, in random order."""
    chance = random.Random(seed)
    people = [worker(number, chance) for number in range(workers)]
    bad = _spoil(people, round(workers * bad_percent / 100), chance) if bad_percent else {}
    chance.shuffle(people)
    return Company([list(row) for row in people], bad)


def changes(before: Company, *, promoted: int, left: int, same: int) -> Company:
    """The next day's file: some good rows with a new title, some of workers who left, some unchanged."""
    good = [row for row in before.rows if len(row) == len(COLUMNS) and _is_good(row)]
    picked = [list(row) for row in sorted(good)[-(promoted + left + same) :]]
    for row in picked[:promoted]:
        row[COLUMNS.index("JobTitle")] = "Senior " + row[COLUMNS.index("JobTitle")]
    for row in picked[promoted : promoted + left]:
        row[COLUMNS.index("WorkerStatus")] = "Terminated"
    return Company(picked, {})


def _is_good(row: list[str]) -> bool:
    return (
        row[2] == "Active"
        and not row[0].startswith("9")
        and row[1].endswith("@example.com")
        and row[0].isdigit()
        and "/" in row[-1]
    )


def worker(number: int, chance: random.Random) -> list[str]:
    first, last = chance.choice(_FIRST.split()), chance.choice(_LAST.replace("van der Berg", "van_der_Berg").split())
    last = last.replace("_", " ")
    department = chance.choice(list(_DEPARTMENTS))
    worker_id = str(_FIRST_ID + number)
    login = f"w{worker_id}@example.com"
    manager = "" if number == 0 else str(_FIRST_ID + (number - 1) // _REPORTS)
    title = "Managing Director" if number == 0 else f"{department} {_DEPARTMENTS[department]}"
    hired = f"{chance.randint(1, 28):02d}/{chance.randint(1, 12):02d}/{chance.randint(1995, 2026)}"
    status = chance.choices(["Active", "On Leave", "Terminated"], [93, 4, 3])[0]
    return [
        worker_id, login, status, f"{first} {last}", first, "", last, "", "", first, title, "Employee",
        "en-US", "en-US", "Europe/Lisbon", login, f"+351 21 555 {number % 10000:04d}",
        f"{number + 1} Harbour Street, Floor 2", "Lisbon", "Lisboa", "1100-148", "PT",
        str(4000 + number % 40), "Contoso", "Europe", department, manager, hired,
    ]  # fmt: skip


def _spoil(people: list[list[str]], count: int, chance: random.Random) -> dict[str, int]:
    """Make some workers who manage nobody bad, each in one of eight ways in turn."""
    leaves = people[(len(people) - 1) // _REPORTS + 1 :]
    victims = chance.sample(range(len(leaves)), min(count, len(leaves)))
    bad: dict[str, int] = {}
    for turn, index in enumerate(victims):
        kind = list(_SPOILERS)[turn % len(_SPOILERS)]
        extra = _SPOILERS[kind](leaves[index])
        if extra:
            people.append(extra)
        bad[kind] = bad.get(kind, 0) + (2 if extra else 1)
    return bad


def _set(column: str, value: str):
    def spoil(row: list[str]) -> None:
        row[COLUMNS.index(column)] = value

    return spoil


def _shorten(row: list[str]) -> None:
    row.pop()


def _contradict(row: list[str]) -> list[str]:
    other = list(row)
    other[COLUMNS.index("JobTitle")] = "Consultant"
    return other


def _move_domain(row: list[str]) -> None:
    row[COLUMNS.index("UserID")] = row[0] + "@not-verified.example.net"


def _share_login(row: list[str]) -> list[str]:
    return ["9" + row[0][1:], *row[1:]]


_SPOILERS = {
    "blank id": _set("WorkerID", " "),
    "unknown status": _set("WorkerStatus", "Sabbatical"),
    "blank status": _set("WorkerStatus", ""),
    "other date format": _set("HireDate", "2024-13-05"),
    "cell missing": _shorten,
    "two rows for one worker": _contradict,
    "login in a domain that is not the tenant's": _move_domain,
    "two workers with one login": _share_login,
}
