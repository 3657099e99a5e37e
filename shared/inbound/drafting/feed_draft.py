"""A feed file drafted from a real HR export, for a person to finish: what is not sure stands in it as a comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.inbound.drafting.column_guess import Guess, Level, guess_columns
from shared.inbound.drafting.draft_sample import Sample, read_sample
from shared.inbound.drafting.draft_yaml import Line, comment, flow, quoted
from shared.inbound.reading.hr_file import no_workbooks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.inbound.drafting.draft_table import Table
    from shared.inbound.reading.hr_file import ReadWorkbook

_NEEDED = ("externalId", "userName", "active")
_MAX_SHOWN = 200
"""Characters of a file's or a column's name in a comment."""
_JOB = """\
job:                                   # Entra admin center: the app > Provisioning > View technical information
  servicePrincipalId: 00000000-0000-0000-0000-000000000000
  jobId: API2AAD.00000000000000000000000000000000.00000000-0000-0000-0000-000000000000
"""
_SAFETY = """\
safety:
  max_set_aside_percent: 10            # more rows set aside than this: nothing is sent, a person looks
"""


def draft_feed(chunks: Iterable[bytes], file_name: str, read_workbook: ReadWorkbook = no_workbooks) -> str:
    """Draft the feed file for an HR export, as commented YAML.

    A feed file with it is accepted, but for the ids of the job, where all that is needed was found. Otherwise the first
    line says what a person has to decide, and `parse_feed` refuses it. Nobody's data are in it: the file's cells
    only decide what it says, except for words of a status that are well-known or frequent.

    Args:
        chunks: the file's bytes in order; of its rows the first 2,000 are looked at.
        file_name: for a comment.
        read_workbook: reads workbooks.

    Raises:
        HrFileError: the file can't be read at all, or has no header.
    """
    sample = read_sample(chunks, read_workbook)
    guesses = guess_columns(sample.table) if sample.table else []
    undecided = [*sample.undecided, *(_missing(guesses) if sample.table else [])]
    parts = [_head(sample, file_name, undecided), _JOB, _block("file:", sample.lines)]
    if sample.table:
        parts.append(_block("mapping:", _mapping(guesses)))
    parts.append(_SAFETY)
    if sample.table and (rest := _not_mapped(sample.table, guesses)):
        parts.append(_block("", rest))
    return "\n".join(parts)


def _missing(guesses: list[Guess]) -> list[str]:
    sure = {guess.path for guess in guesses if guess.level == Level.SURE}
    return [path for path in _NEEDED if path not in sure]


def _head(sample: Sample, file_name: str, undecided: list[str]) -> str:
    lines = (
        [f"# decide: {', '.join(undecided)}. Until then no file is processed with this feed file."] if undecided else []
    )
    name = quoted(file_name[:_MAX_SHOWN])
    lines.append(f"# Draft of a feed file, from {name}: its first {sample.row_count} rows were looked at.")
    lines.append("# Check every line. What is not sure is a comment; take the # away where it is right.")
    return "\n".join([*lines, ""])


def _block(key: str, lines: Iterable[Line]) -> str:
    indent = "  " if key else ""
    return "\n".join([*filter(None, [key]), *(line.render(indent) for line in lines), ""])


def _mapping(guesses: list[Guess]) -> list[Line]:
    lines: list[Line] = []
    for path in _NEEDED:
        if not any(guess.path == path for guess in guesses):
            rule = "{column: decide, true_when: [decide], false_when: [decide]}" if path == "active" else "decide"
            lines.append(Line(f"{path}: {rule}", "decide: no column was found; which one is it?", is_active=False))
    for guess in guesses:
        text = flow(guess.rule["column"] if guess.rule.keys() == {"column"} else guess.rule)
        is_sure = guess.level == Level.SURE
        lines.append(Line(f"{guess.path}: {text}", f"{guess.level}: {guess.why}", is_active=is_sure))
        lines += [comment(f"  {remark}") for remark in guess.remarks]
    return lines


def _not_mapped(table: Table, guesses: list[Guess]) -> list[Line]:
    used = {name for guess in guesses for name in guess.columns}
    lines = []
    if rest := [column.name for column in table.columns if column.name not in used]:
        lines += [comment("Columns of the file that nothing above reads:"), *map(_named, rest)]
    if table.others:
        words = "Columns that can't be mapped, since the header has them more than once or they are far too long:"
        lines += [comment(words), *map(_named, dict.fromkeys(table.others))]
    if table.ragged:
        lines.append(comment(f"{table.ragged} rows have another number of cells than the header, and are set aside."))
    return lines


def _named(name: str) -> Line:
    return comment(f"- {flow(name[:_MAX_SHOWN])}")
