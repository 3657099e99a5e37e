"""The connector in a process of its own: `python -m tests.bench.send plan|send BLOB`, with its app settings.

`plan` leaves a planned run and sends nothing; `send` is the function's call for the same drop, which finds that run.
"""

from __future__ import annotations

import logging
import os
import sys

from shared.adapters.blob_storage import AzureDrop
from shared.bootstrap import connect
from shared.settings import Settings
from shared.workflows.plan_drop import DropEvent
from shared.workflows.plan_run import plan_run
from tests.bench.process import tell_cost
from tests.platform.functions_host import FunctionsHost


def plan(blob_name: str) -> None:
    from azure.storage.blob import BlobClient

    drop = AzureDrop(BlobClient.from_connection_string(os.environ["HR_STORAGE"], "hr-drop", blob_name))
    plan_run(drop, connect(Settings.from_environ(os.environ)), DropEvent.CAME)


def send(blob_name: str) -> None:
    FunctionsHost().blob_created(blob_name)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")  # as the host does: to log is part of the work
    work = {"plan": plan, "send": send}[sys.argv[1]]
    tell_cost(lambda: work(sys.argv[2]))
