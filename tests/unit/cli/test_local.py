"""`make local`: what is kept and what is not, and how a terminal finds it."""

from __future__ import annotations

import subprocess

from tests.platform.local import JOB_ID, prepare, shell_settings


def test_a_feed_file_that_is_there_stays_and_old_runs_go(tmp_path, capsys):
    prepare(tmp_path)
    feed = tmp_path / "feeds" / "contoso.yaml"
    assert f"jobId: {JOB_ID}" in feed.read_text(encoding="utf-8")
    feed.write_text(f"# mine\njob: {JOB_ID}\n", encoding="utf-8")
    (tmp_path / "runs" / "contoso").mkdir()
    (tmp_path / "hr-drop" / "contoso" / "mine.csv").touch()
    assert capsys.readouterr().out == ""
    prepare(tmp_path)
    assert feed.read_text(encoding="utf-8").startswith("# mine")
    assert list((tmp_path / "runs").iterdir()) == []
    assert (tmp_path / "hr-drop" / "contoso" / "mine.csv").exists()


def test_a_feed_file_of_another_job_is_left_alone_and_told(tmp_path, capsys):
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "contoso.yaml").write_text("job: another", encoding="utf-8")
    prepare(tmp_path)
    assert "names another job" in capsys.readouterr().out


def test_a_shell_reads_the_settings_as_they_are(tmp_path):
    names = ("HR_STORAGE", "GRAPH_ENDPOINT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_CLIENT_ID")
    settings = {name: f"a;b=c d'{name}" for name in names}
    (tmp_path / "env.sh").write_text(shell_settings(settings), encoding="utf-8")
    command = ". ./env.sh; " + "; ".join(f'echo "${name}"' for name in names)
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == list(settings.values())
