"""A drop, one version of a file in `hr-drop`, and the id of its run."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

FEED_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
"""A folder that can be a feed: its name becomes part of other blobs' names."""
NO_FEED = "_no-feed"
"""Stands for the feed of a file outside every folder, or in one whose name can't be a feed's."""


def dropped_at(run_id: str) -> str:
    """The part of a run id that says when its file was dropped; sorts by time."""
    return run_id.partition("-")[0]


_UNFINISHED = (".tmp", ".part", ".filepart", ".partial", ".crdownload")


@dataclass(frozen=True)
class Drop:
    """One blob version.

    Args:
        blob_name: the name in `hr-drop`, `<feed>/<file>`.
        etag: without quotes or with, as storage gives it.
        dropped_at: the blob's Last-Modified, whole seconds, UTC.
        size: bytes.
    """

    blob_name: str
    etag: str
    dropped_at: datetime
    size: int

    @property
    def feed(self) -> str:
        """The first folder of the name, or NO_FEED."""
        feed, slash, _ = self.blob_name.partition("/")
        return feed if slash and FEED_NAME.fullmatch(feed) else NO_FEED

    @property
    def file(self) -> str:
        """The name below the feed's folder; the whole name where there is no feed."""
        return self.blob_name if self.feed == NO_FEED else self.blob_name.partition("/")[2]

    @property
    def run_id(self) -> str:
        """Same version, same id; sorts by time of drop, ties broken the same way everywhere."""
        digest = hashlib.sha256("\n".join((self.feed, self.blob_name, self.etag.strip('"'))).encode())
        return f"{self.dropped_at:%Y%m%dT%H%M%SZ}-{digest.hexdigest()[:12]}"

    @property
    def is_unfinished(self) -> bool:
        """A name under which writers keep a file that is still growing; it is left alone until it is renamed."""
        last = self.blob_name.rsplit("/", 1)[-1]
        return last.startswith(".") or last.lower().endswith(_UNFINISHED)
