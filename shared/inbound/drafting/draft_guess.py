"""A guess at what an attribute is mapped from, and how certain it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.inbound.drafting.draft_yaml import Node

UNDECIDED = "decide"
"""Stands where a person has to write something; no rule is valid, or no row can be sent, with it."""


class Level(StrEnum):
    """How certain a guess is. Only a sure one may take effect before a person has seen it."""

    SURE = "sure"
    LIKELY = "likely"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Guess:
    """An attribute with a rule, as a feed file has it, and why; `remarks` are more sentences about it."""

    path: str
    rule: dict[str, Node]
    level: Level
    why: str
    columns: tuple[str, ...]
    remarks: list[str] = field(default_factory=list)
