"""How text is laid out."""

from __future__ import annotations

import io

from rich.console import Console

from shared.cli.output import print_blocks

RUN = "20260901T120000Z-0123456789ab"
ADDRESS = f"https://hrdata1234.blob.core.windows.net/runs/contoso/{RUN}/"


def laid_out(rows: list[tuple[str, ...]], width: int) -> list[str]:
    text = io.StringIO()
    print_blocks(rows, Console(file=text, width=width))
    return text.getvalue().splitlines()


def test_the_last_cell_is_wrapped_between_words_below_itself():
    lines = laid_out([("a", "one two three four five six seven"), ("label", "short")], 40)
    assert lines == ["a      one two three four five six seven", "label  short"]
    assert laid_out([("a", "one two three four five six seven eight")], 33) == [
        "a  one two three four five six",
        "   seven eight",
    ]


def test_ids_and_addresses_are_never_broken():
    assert laid_out([("blobs", f"{ADDRESS} below-a-hyphen")], 40) == [f"blobs  {ADDRESS}", "       below-a-hyphen"]


def test_lines_of_their_own_stay_so_and_keep_their_indent():
    assert laid_out([("counts", "   2  setAside\n   8  planned")], 80) == [
        "counts     2  setAside",
        "           8  planned",
    ]


def test_brackets_are_text():
    assert laid_out([("reason", "Why. [red]")], 80) == ["reason  Why. [red]"]


def test_no_rows_are_nothing():
    assert laid_out([], 80) == []
