"""What every block of a feed file has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StrictStr, StringConstraints

Word = Annotated[StrictStr, StringConstraints(min_length=1, max_length=1024)]


class FeedModel(BaseModel):
    """Unknown keys are errors; the names in YAML are the Python names, or their alias where Python forbids them."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
