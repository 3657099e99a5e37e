"""A straightforward client: `python -m tests.bench.sequential URL FILE`, one bulk request a line of the file.

One request after the other on one kept connection; after a 429 it waits for as long as it is told, and posts the same
again. Nothing is remembered: a crash means to begin anew. It shares no code with the connector.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from azure.identity import ManagedIdentityCredential

from tests.bench.process import tell_cost


def send_all(url: str, file: Path) -> None:
    credential = ManagedIdentityCredential(client_id=os.environ["AZURE_CLIENT_ID"])
    parts = urlsplit(url)
    scope = f"{parts.scheme}://{parts.netloc}/.default"
    with httpx.Client(timeout=30) as http, file.open("rb") as bodies:
        for body in bodies:
            send_one(http, url, body, credential, scope)


def send_one(http: httpx.Client, url: str, body: bytes, credential: ManagedIdentityCredential, scope: str) -> None:
    while True:
        token = credential.get_token(scope).token
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
        answer = http.post(url, content=body, headers=headers)
        if answer.status_code != 429:
            answer.raise_for_status()
            return
        time.sleep(float(answer.headers["Retry-After"]))


if __name__ == "__main__":
    tell_cost(lambda: send_all(sys.argv[1], Path(sys.argv[2])))
