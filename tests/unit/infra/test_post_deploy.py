"""post-deploy.sh, run for real with a stand-in for az."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.unit.infra.bicep import INFRA

SCRIPT = INFRA / "scripts" / "post-deploy.sh"

# Answers from files in its own folder; the first `$n` calls of a kind are refused as long as `<kind>.failures` says so.
AZ = r"""#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/calls"
case "$1 $2 $3" in
  "account show "*) kind=login ;;
  "functionapp function list") kind=list; answer=1 ;;
  "functionapp keys list") kind=key; answer=17 ;;
  "deployment group create") kind=deploy ;;
  *) echo "unexpected: $*" >&2; exit 2 ;;
esac
left=$(cat "$here/$kind.failures" 2>/dev/null || echo 0)
if [ "$left" -gt 0 ]; then
  echo $((left - 1)) >"$here/$kind.failures"
  exit 1
fi
if [ -n "${answer:-}" ]; then echo "$answer"; fi
"""
NOTHING = '#!/bin/sh\necho "$(basename "$0") $*" >>"$(dirname "$0")/calls"\n'

ENVIRONMENT = {
    "AZURE_SUBSCRIPTION_ID": "sub",
    "AZURE_RESOURCE_GROUP": "group",
    "FUNCTION_APP_NAME": "app",
    "FUNCTION_APP_HOST": "app.example",
    "SYSTEM_TOPIC_NAME": "topic",
    "HR_STORAGE_ACCOUNT_NAME": "hr",
}

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX shell")


class Cloud:
    """What the script meets: az, curl and sleep, each writing down how it was called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, body in {"az": AZ, "curl": NOTHING, "sleep": NOTHING}.items():
            path = folder / name
            path.write_text(body, encoding="utf-8")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def fails(self, kind: str, times: int) -> None:
        (self.folder / f"{kind}.failures").write_text(str(times), encoding="utf-8")

    def run(self, **changes: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["sh", str(SCRIPT)],
            env={**ENVIRONMENT, **changes, "PATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def calls(self, start: str) -> list[str]:
        lines = (self.folder / "calls").read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line.startswith(start)]


@pytest.fixture
def cloud(tmp_path):
    return Cloud(tmp_path)


def test_it_deploys_the_event_subscription_once_the_function_and_its_key_are_there(cloud):
    result = cloud.run()
    assert result.returncode == 0, result.stderr
    [deployment] = cloud.calls("deployment")
    assert "modules/event-subscription.bicep" in deployment
    assert "--parameters functionAppName=app systemTopicName=topic hrStorageAccountName=hr " in deployment


def test_it_waits_for_a_function_that_is_loaded_late(cloud):
    cloud.fails("list", 3)
    assert cloud.run().returncode == 0
    assert len(cloud.calls("sleep")) == 3
    assert len(cloud.calls("curl")) == 4


def test_it_waits_for_a_key_that_comes_late(cloud):
    cloud.fails("key", 2)
    assert cloud.run().returncode == 0
    assert len(cloud.calls("sleep")) == 2


def test_it_tries_again_when_event_grid_refuses_the_subscription(cloud):
    cloud.fails("deploy", 4)
    assert cloud.run().returncode == 0
    assert len(cloud.calls("deployment")) == 5


def test_it_can_be_run_twice_and_does_the_same(cloud):
    assert cloud.run().returncode == 0
    assert cloud.run().returncode == 0
    first, second = cloud.calls("deployment")
    assert first == second


@pytest.mark.parametrize(
    ("kind", "words"), [("list", "has not loaded"), ("key", "has not loaded"), ("deploy", "refused five times")]
)
def test_it_ends_with_an_error_and_advice_when_the_wait_is_in_vain(cloud, kind, words):
    cloud.fails(kind, 1000)
    result = cloud.run()
    assert result.returncode == 1
    assert words in result.stderr
    assert "docs/deploy.md" in result.stderr


def test_it_says_at_once_when_nobody_is_logged_in(cloud):
    cloud.fails("login", 1)
    assert cloud.run().returncode != 0
    assert not cloud.calls("functionapp")


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_it_names_a_value_that_is_missing(cloud, name):
    result = cloud.run(**{name: ""})
    assert result.returncode != 0
    assert name in result.stderr
    assert not (cloud.folder / "calls").exists()
