"""Bicep files as pycep reads them.

pycep checks syntax and nothing else: it knows no types and resolves no names, and a name comes out of it as the same
text as a string. What the parts of a template owe each other is therefore checked in the tests beside this file.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pycep

ROOT = Path(__file__).parents[3]
INFRA = ROOT / "infra"
MAIN = INFRA / "main.bicep"
MODULES = sorted((INFRA / "modules").glob("*.bicep"))
TEMPLATES = [MAIN, *MODULES]

# Deployed by themselves, after the rest: one needs the code to be there, the other needs rights in Entra.
SECOND_STEPS = {"event-subscription.bicep", "graph-permissions.bicep"}

_STRING_OR_COMMENT = re.compile(r"'''.*?'''|'(?:\\.|[^'\\])*'|//[^\n]*", re.DOTALL)
_KEYWORDS = {"existing", "for", "in", "if", "true", "false", "null", "targetScope"}


@cache
def parse(path: Path) -> dict[str, Any]:
    """The template as a tree; shared between tests (pycep is slow), so nobody changes it."""
    return _without_quotes(pycep.BicepParser().parse(text=path.read_text(encoding="utf-8")))


def _without_quotes(node: Any) -> Any:
    """pycep leaves the quotes on keys such as 'azd-service-name', though not on values."""
    if isinstance(node, dict):
        return {str(key).strip("'"): _without_quotes(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_without_quotes(value) for value in node]
    return node


def module(name: str) -> dict[str, Any]:
    return parse(INFRA / "modules" / f"{name}.bicep")


def resources(template: dict[str, Any], resource_type: str) -> list[dict[str, Any]]:
    """The bodies of the resources of this type that the template creates; for a loop, the body of one round."""
    found = [r for r in template.get("resources", {}).values() if r["type"] == resource_type and not r["existing"]]
    return [r["config"]["config"] if "loop_type" in r["config"] else r["config"] for r in found]


def only(items: list[Any]) -> Any:
    assert len(items) == 1, f"one was expected, found {len(items)}"
    return items[0]


def description(declaration: dict[str, Any]) -> str:
    return next((d["argument"] for d in declaration["decorators"] if d["type"] == "description"), "")


def expressions(text: str) -> str:
    """The template without comments and without the literal part of strings; what `${}` holds stays."""

    def keep(match: re.Match[str]) -> str:
        token = match[0]
        if token.startswith(("//", "'''")):
            return ""
        return "".join(f"({inner})" for inner in re.findall(r"\$\{([^}]*)\}", token))

    return _STRING_OR_COMMENT.sub(keep, text)


def declared_names(code: str) -> set[str]:
    """Names that the template gives something: parameters, variables, resources, modules, loop and lambda variables."""
    declarations = re.findall(r"^(?:param|var|resource|module)\s+(\w+)", code, re.MULTILINE)
    return {*declarations, *re.findall(r"\bfor\s+(\w+)\s+in\b", code), *re.findall(r"\b(\w+)\s*=>", code)}


def used_names(code: str) -> set[str]:
    """Names that the template refers to, apart from functions and what follows a dot."""
    code = re.sub(r"^(?:param|output)\s+\w+\s+\w+", "", code, flags=re.MULTILINE)
    code = re.sub(r"^(?:var|resource|module|extension)\s+\w+", "", code, flags=re.MULTILINE)
    code = re.sub(r"\bfor\s+\w+\s+in\b|\b\w+\s*=>", "", code)
    code = re.sub(r"(^|[{,])\s*\w+\s*:", r"\1", code, flags=re.MULTILINE)
    return set(re.findall(r"(?<![.@\w])([A-Za-z_]\w*)\b(?!\s*\()", code)) - _KEYWORDS


def settings() -> dict[str, str]:
    """The app settings of the function app, by name."""
    site = only(resources(module("function-app"), "Microsoft.Web/sites"))
    pairs = site["properties"]["siteConfig"]["appSettings"]
    assert len({pair["name"] for pair in pairs}) == len(pairs), "a setting is there twice"
    return {pair["name"]: pair["value"] for pair in pairs}


def leaves(node: Any) -> Iterator[Any]:
    """Every key and every plain value in a parsed template."""
    if isinstance(node, dict):
        yield from node
        for value in node.values():
            yield from leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from leaves(value)
    else:
        yield node
