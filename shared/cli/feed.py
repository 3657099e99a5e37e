"""`feed new`, `feed check`, `feed schema`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from shared.adapters.workbook_reader import read_workbook
from shared.cli.opening import REFUSED, chunks_of, read_feed, say_error, say_refusal
from shared.cli.run_words import some
from shared.errors import HrFileError
from shared.inbound.drafting.feed_draft import draft_feed
from shared.inbound.feeds.feed_file import feed_schema

if TYPE_CHECKING:
    from pathlib import Path


def new(file: Path, out: Path | None) -> int:
    """Write a first feed file for an export, to a file or to standard output."""
    try:
        text = draft_feed(chunks_of(file), file.name, read_workbook)
    except (HrFileError, OSError) as error:
        return say_refusal(file, error)
    if out is None:
        print(text, end="")  # noqa: T201
        return 0
    try:
        with out.open("x", encoding="utf-8", newline="\n") as target:
            target.write(text)
    except FileExistsError:
        say_error(f"{out} is there already; it is left as it is.")
        return REFUSED
    except OSError as error:
        say_error(f"{out}: {error.strerror or 'can not be written'}.")
        return REFUSED
    print(f"Written: {out}. Read its comments, decide what they leave open, then: python -m shared feed check {out}")  # noqa: T201
    return 0


def check(feed: Path) -> int:
    """Say whether the feed file can be used."""
    used = read_feed(feed)
    if used is None:
        return REFUSED
    many = f"{some(len(used.mapping), 'attribute')} {'is' if len(used.mapping) == 1 else 'are'} mapped"
    what = many if used.mapping else "its files' users are sent as they are"
    print(f"{feed} can be used: {what}.")  # noqa: T201
    if set(used.job.servicePrincipalId) <= set("0-"):
        print("But servicePrincipalId is still a row of zeros: put the ids of your provisioning app under job.")  # noqa: T201
    if used.mapped_columns:
        print(f"A file must have these columns: {', '.join(used.mapped_columns)}")  # noqa: T201
    return 0


def schema() -> int:
    """Print the JSON Schema of feed files."""
    print(json.dumps(feed_schema(), indent=2, ensure_ascii=False))  # noqa: T201
    return 0
