"""The part of OData's $filter that provisioning logs take.

Source: Graph reference, list provisioningObjectSummary (properties; eq, contains, gt, lt; values are case
sensitive); Microsoft's quickstart and samples for this feature (ge on activityDateTime, ne on cycleId).
Guess: open question 7; ge, le and ne are taken on v1.0 too, `or`, `not`, `in` and parentheses nowhere.
"""

import operator as operators
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from tests.simulator.attributes import ENTERPRISE
from tests.simulator.log_record import INITIATOR, SERVICE_PRINCIPAL_NAME, SOURCE_SYSTEM, TARGET_SYSTEM, LogRecord

Kind = Literal["text", "time", "number"]
Predicate = Callable[[LogRecord], bool]

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operators.eq,
    "ne": operators.ne,
    "gt": operators.gt,
    "ge": operators.ge,
    "lt": operators.lt,
    "le": operators.le,
}
OF_TEXT = {"eq", "ne"}
_TOKEN = re.compile(r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<mark>[(),])|(?P<word>[^\s'(),]+))")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?(Z|[+-]\d\d:\d\d)")


class FilterError(ValueError):
    """The filter cannot be understood; the text says why."""


@dataclass(frozen=True)
class _Property:
    read: Callable[[LogRecord], Any]
    kind: Kind = "text"
    beta_only: bool = False


PROPERTIES: dict[str, _Property] = {
    "id": _Property(lambda r: r.id),
    "tenantid": _Property(lambda r: r.change.tenant_id),
    "jobid": _Property(lambda r: r.change.job.id),
    "changeid": _Property(lambda r: r.change.id),
    "cycleid": _Property(lambda r: r.change.cycle_id),
    "activitydatetime": _Property(lambda r: float(int(r.change.due)), "time"),  # as printed: whole seconds
    "durationinmilliseconds": _Property(lambda r: r.duration, "number"),
    "provisioningaction": _Property(lambda r: r.action),
    "action": _Property(lambda r: r.action.capitalize(), beta_only=True),
    "provisioningstatusinfo/status": _Property(lambda r: r.status),
    "statusinfo/status": _Property(lambda r: r.status, beta_only=True),
    "sourcesystem/displayname": _Property(lambda _r: SOURCE_SYSTEM["displayName"]),
    "targetsystem/displayname": _Property(lambda _r: TARGET_SYSTEM["displayName"]),
    "initiatedby/displayname": _Property(lambda _r: INITIATOR["displayName"]),
    "sourceidentity/id": _Property(lambda r: r.change.external_id),
    "sourceidentity/displayname": _Property(lambda r: r.change.display_name),
    "sourceidentity/identitytype": _Property(lambda _r: ENTERPRISE),
    "targetidentity/id": _Property(lambda r: r.change.account.object_id if r.change.account else ""),
    "targetidentity/displayname": _Property(lambda r: r.target_name),
    "targetidentity/identitytype": _Property(lambda _r: "User"),
    "serviceprincipal/id": _Property(lambda r: r.change.job.service_principal_id),
    "serviceprincipal/displayname": _Property(lambda _r: SERVICE_PRINCIPAL_NAME),
    "serviceprincipal/name": _Property(lambda _r: SERVICE_PRINCIPAL_NAME, beta_only=True),
}


def parse_filter(text: str, *, beta: bool) -> Predicate:
    """Turn a $filter into a test for log records.

    Raises:
        FilterError: anything but clauses joined by `and`, each `property op value` or `contains(property,'x')`.
    """
    tokens = _tokens(text)
    clauses: list[Predicate] = []
    while True:
        clauses.append(_clause(tokens, beta=beta))
        if not tokens:
            return lambda record: all(clause(record) for clause in clauses)
        if tokens.pop(0) != "and":
            raise FilterError("clauses are joined by 'and'")


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise FilterError(f"unterminated string at position {position}")
        tokens.append(match[0].strip())
        position = match.end()
    return tokens


def _take(tokens: list[str], wanted: str | None = None) -> str:
    if not tokens:
        raise FilterError("the filter ends too early")
    token = tokens.pop(0)
    if wanted is not None and token != wanted:
        raise FilterError(f"'{wanted}' expected")
    return token


def _clause(tokens: list[str], *, beta: bool) -> Predicate:
    first = _take(tokens)
    if first == "contains" and tokens[:1] == ["("]:
        _take(tokens, "(")
        prop = _property(_take(tokens), beta=beta)
        _take(tokens, ",")
        part = _string(_take(tokens))
        _take(tokens, ")")
        if prop.kind != "text":
            raise FilterError("contains needs a property of type String")
        return lambda record: part in str(prop.read(record))
    prop = _property(first, beta=beta)
    operator, literal = _take(tokens), _take(tokens)
    if operator not in (OF_TEXT if prop.kind == "text" else COMPARISONS):
        raise FilterError(f"operator '{operator}' cannot be used here")
    return _comparison(prop, operator, _literal(literal, prop.kind))


def _property(name: str, *, beta: bool) -> _Property:
    prop = PROPERTIES.get(name.lower())
    if prop is None or (prop.beta_only and not beta):
        raise FilterError(f"could not find a property named '{name}' to filter by")
    return prop


def _comparison(prop: _Property, operator: str, wanted: Any) -> Predicate:
    compare = COMPARISONS[operator]
    return lambda record: bool(compare(prop.read(record), wanted))


def _literal(token: str, kind: Kind) -> Any:
    if kind == "text":
        return _string(token)
    if kind == "number":
        if not re.fullmatch(r"-?\d+", token):
            raise FilterError("a whole number without quotes is expected")
        return int(token)
    if not _TIME.fullmatch(token):
        raise FilterError("a DateTimeOffset without quotes is expected, for instance 2026-01-31T00:00:00Z")
    try:
        # Graph prints up to seven digits of a second; Python reads six.
        time = datetime.fromisoformat(re.sub(r"(\.\d{6})\d", r"\1", token))
    except ValueError as error:
        raise FilterError("not a time") from error
    return time.astimezone(UTC).timestamp()


def _string(token: str) -> str:
    if not token.startswith("'"):
        raise FilterError("a string in single quotes is expected")
    return token[1:-1].replace("''", "'")
