"""Answers of Microsoft Graph that tests have the simulator give."""

from __future__ import annotations

BUCKET_FULL = {
    "error": {
        "code": "InternalServerError",
        "message": "The bucket that stores the ingested data is full, please wait for the synchronization service to "
        "process the ingested data and retry this request.",
    }
}
