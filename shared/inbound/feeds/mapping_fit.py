"""Which rule fits which attribute: problems of a feed file's mapping as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from shared.inbound.feeds.mapping_rule import Rule, column_or_rule
from shared.scim.attribute_path import (
    ACTIVE,
    EXTERNAL_ID,
    MANAGER,
    USER_NAME,
    AttributePath,
    parse_attribute_path,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def mapping_problems(mapping: Mapping[Any, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Paths that are none, that stand twice, that are missing, or whose rule does not fit; with their key."""
    paths: dict[AttributePath, str] = {}
    for key, value in mapping.items():
        text = str(key)
        if not isinstance(key, str):
            yield (text,), "must be an attribute path as plain text"
            continue
        try:
            path = parse_attribute_path(text)
        except ValueError as error:
            yield (text,), str(error)
            continue
        if path in paths:
            yield (text,), f"is the same attribute as {paths[path]}"
        paths.setdefault(path, text)
        rule = _rule(value)
        if rule is not None and (words := misfit(path, rule)):
            yield (text,), words
    for path, name in ((EXTERNAL_ID, "externalId"), (USER_NAME, "userName"), (ACTIVE, "active")):
        if path not in paths:
            yield (), f"{name} must be mapped: without it no operation is sent"


def _rule(value: object) -> Rule | None:
    """The rule, or None where it is wrong in itself, which is reported elsewhere."""
    try:
        return Rule.model_validate(column_or_rule(value))
    except ValidationError:
        return None


def misfit(path: AttributePath, rule: Rule) -> str | None:
    """Why the rule can't give this attribute its value; None if it can."""
    if path.is_boolean:
        return _misfit_of_active(rule)
    if rule.from_ or rule.until:
        return "can't have from or until: they decide about active only"
    if rule.type and not path.is_custom:
        return "can't have a type: only attributes of custom extensions have one"
    if words := _type_misfit(rule):
        return words
    if rule.is_boolean and not path.is_custom:
        return "is text, so true_when, false_when and a constant true or false don't fit"
    if isinstance(rule.constant, int) and not path.is_custom and not isinstance(rule.constant, bool):
        return "is text; put the constant in quotes"
    if path in (EXTERNAL_ID, USER_NAME, MANAGER):
        return _misfit_of_identifier(path, rule)
    return None


def _misfit_of_active(rule: Rule) -> str | None:
    if not rule.is_boolean:
        return "needs true_when and false_when, or from and until, or a constant true or false"
    if rule.when or rule.first_of:
        return "can't depend on when or first_of: who is not meant would be neither active nor not"
    if rule.blank not in (None, "set_aside"):
        return "is always required: a blank status sets the row aside"
    if rule.type or rule.pattern or rule.check:
        return "is true or false; type, pattern and check don't fit"
    return None


def _misfit_of_identifier(path: AttributePath, rule: Rule) -> str | None:
    if path == USER_NAME and rule.constant is not None:
        return "can't be a constant: every worker would have the same login"
    keys = (EXTERNAL_ID, MANAGER)
    if path in keys and (rule.column is None or rule.date or rule.when or rule.values or rule.phone):
        return "must come from one column: it is a key, and a made-up key is somebody else's account"
    if path == MANAGER and rule.blank == "null":
        return "can't be null: how the API clears a manager is not documented; leave it out"
    if path != MANAGER and rule.blank not in (None, "set_aside"):
        return "is always required: a blank sets the row aside"
    if path != MANAGER and rule.when:
        return "can't depend on when: it is always required"
    return None


def _type_misfit(rule: Rule) -> str | None:
    if rule.type == "Boolean" and not rule.is_boolean:
        return "has type Boolean, so it needs true_when and false_when, or a constant true or false"
    if rule.type != "Boolean" and rule.type and rule.is_boolean:
        return f"has type {rule.type}, but its value is true or false"
    if rule.type == "DateTime" and not rule.date:
        return "has type DateTime, so it needs date"
    if rule.type == "Integer" and (rule.date or rule.phone or isinstance(rule.constant, str)):
        return "has type Integer, so its value must be a whole number"
    return None
