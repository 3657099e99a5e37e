"""`preview`: how one row becomes a user, attribute by attribute, from which column by which rule."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
from rich.table import Table
from rich.text import Text

from shared.adapters.workbook_reader import read_workbook
from shared.cli.opening import REFUSED, chunks_of, read_feed, say_error, say_refusal
from shared.cli.output import console
from shared.errors import HrFileError
from shared.inbound.mapping.attribute_mapping import AttributeMapping
from shared.inbound.mapping.cell_problem import Problem
from shared.inbound.planning.conversion import mapping_for
from shared.inbound.reading.hr_file import HrFile, HrRow
from shared.inbound.reading.row_batch import MappedBatch, RowBatch

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from shared.inbound.feeds.feed_file import Feed
    from shared.inbound.feeds.mapping_rule import Rule

_SET_ASIDE = 1


def preview(file: Path, feed: Path, row: int) -> int:
    """Show the row that begins on that line; returns the exit status."""
    used = read_feed(feed)
    if used is None:
        return REFUSED
    try:
        with HrFile(chunks_of(file), used.file, used.mapped_columns, read_workbook) as hr_file:
            found = next((one for one in hr_file.rows() if one.line >= row), None)
            if found is None or found.line != row:
                say_error(
                    f"No row begins on line {row}" + (f"; the next begins on line {found.line}." if found else ".")
                )
                return REFUSED
            return _show(console(), used, hr_file, found)
    except (HrFileError, OSError) as error:
        return say_refusal(file, error)


def _show(console: Console, feed: Feed, hr_file: HrFile, row: HrRow) -> int:
    batch = RowBatch([row.line], [row.cells])
    mapping = mapping_for(feed, hr_file, datetime.now(UTC))
    if isinstance(mapping, AttributeMapping) and len(row.cells) == len(hr_file.columns):
        console.print(_table(feed, mapping, hr_file.columns, row))
    return _outcome(console, mapping.map(batch))


def _table(feed: Feed, mapping: AttributeMapping, columns: list[str], row: HrRow) -> Table:
    cells = dict(zip(columns, row.cells, strict=True))
    table = Table(title=f"Line {row.line}", title_justify="left")
    for heading in ("attribute", "value", "from", "rule"):
        table.add_column(heading, overflow="fold")
    for (path, rule), found in zip(feed.mapping.items(), mapping.explain(row.cells), strict=True):
        source = "\n".join(
            f"{name}: {cells[name]}" if name in cells else f"{name}: (no such column)" for name in found.columns
        )
        table.add_row(Text(path), _value(found.value), Text(source), Text(_rule(rule)))
    return table


def _value(value: object) -> Text:
    if isinstance(value, Problem):
        return Text(f"{value.message} [{value.code}]", style="red")
    if value == "":
        return Text("(left out)", style="dim")
    return Text(value if isinstance(value, str) else json.dumps(value))


def _rule(rule: Rule) -> str:
    """The rule as a feed file could write it, on one line."""
    given = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if set(given) == {"column"}:
        return "the column as it is"
    return json.dumps(given, ensure_ascii=False)


def _outcome(console: Console, mapped: MappedBatch) -> int:
    for problem in mapped.excluded:
        console.print(Text(f"Left out: {problem.message} {problem.advice}"))
    for problem in mapped.problems:
        where = f"{problem.column}: " if problem.column else ""
        console.print(Text(f"Set aside: {where}{problem.message} {problem.advice} [{problem.code}]", style="red"))
    if mapped.users[0]:
        console.print("\nWhat would be sent, unless another row of the file is about the same worker or login:")
        console.print(Text(json.dumps(orjson.loads(mapped.users[0]), indent=2, ensure_ascii=False)))
    return _SET_ASIDE if mapped.problems else 0
