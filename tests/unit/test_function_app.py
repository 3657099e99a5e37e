"""What the Functions host sees of the app: exactly three functions, and nothing happens on import."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TypeGuard

import pytest

import function_app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bindings() -> dict[str, list[dict[str, object]]]:
    """`get_functions` works once for an app, so it is asked once."""
    functions = function_app.app.get_functions()
    return {f.get_function_name(): [b.get_dict_repr() for b in f.get_bindings()] for f in functions}


def test_the_host_finds_exactly_these_functions_and_bindings(bindings):
    keys = ("type", "name", "path", "connection", "source", "schedule")

    def kept(binding: dict[str, object]) -> dict[str, object]:
        return {key: value for key, value in binding.items() if key in keys}

    assert {name: [kept(b) for b in found] for name, found in bindings.items()} == {
        "upload_hr_file": [
            {
                "type": "blobTrigger",
                "name": "client",
                "path": "hr-drop/{feed}/{name}",
                "connection": "HR_STORAGE",
                "source": "EventGrid",
            }
        ],
        "resume_uploads": [{"type": "timerTrigger", "name": "timer", "schedule": "%RESUME_SCHEDULE%"}],
        "report_provisioning": [{"type": "timerTrigger", "name": "timer", "schedule": "%REPORT_SCHEDULE%"}],
    }


def test_the_blob_parameter_is_the_sdk_type_so_that_the_file_is_streamed():
    from azurefunctions.extensions.bindings.blob import BlobClient

    user_function = function_app.upload_hr_file._function.get_user_function()
    assert user_function.__annotations__["client"] is BlobClient


def test_importing_the_app_reads_no_setting_and_opens_no_connection():
    """One exception there would take every function of the app away."""
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise AssertionError('a connection was opened')\n"
        "socket.socket.connect = refuse\n"
        "import function_app\n"
        "print(sorted(n for n in vars(function_app) if n.endswith(('file', 'uploads', 'provisioning'))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={}, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "['report_provisioning', 'resume_uploads', 'upload_hr_file']", done.stderr


def test_the_triggers_hold_no_logic():
    tree = ast.parse((ROOT / "function_app.py").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"azure.functions", "azurefunctions.extensions.bindings.blob", "shared.bootstrap"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.For | ast.While | ast.Try)]


def test_the_function_stops_by_itself_before_the_host_stops_it():
    from shared.workflows.outside import Limits

    hours, minutes, seconds = map(int, json.loads((ROOT / "host.json").read_text())["functionTimeout"].split(":"))
    assert Limits().time_budget_seconds <= (hours * 3600 + minutes * 60 + seconds) * 0.75


def test_the_hosts_own_lines_about_a_call_which_name_the_blob_are_not_logged_and_ours_are():
    levels = json.loads((ROOT / "host.json").read_text())["logging"]["logLevel"]
    functions = {node.name for node in ast.parse((ROOT / "function_app.py").read_text()).body if _is_function(node)}
    ours = {f"Function.{name}.User": "Information" for name in functions}
    assert {name: level for name, level in levels.items() if name.startswith("Function")} == {
        "Function": "Warning",
        **ours,
    }


def _is_function(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef) and bool(node.decorator_list)


def test_an_alerting_event_is_never_sampled_away():
    sampling = json.loads((ROOT / "host.json").read_text())["logging"]["applicationInsights"]["samplingSettings"]
    assert "Trace" in sampling["excludedTypes"].split(";")
