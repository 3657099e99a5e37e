"""The sample feed file, pointed at the job of a running simulator."""

from __future__ import annotations

import re
from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[1] / "samples"


def sample_feed(service_principal_id: str, job_id: str) -> bytes:
    text = (SAMPLES / "contoso.yaml").read_text(encoding="utf-8")
    text = re.sub(r"servicePrincipalId: \S+", f"servicePrincipalId: {service_principal_id}", text)
    return re.sub(r"jobId: \S+", f"jobId: {job_id}", text).encode()
