"""How tasks are found, goldlabel's own and others'."""

from __future__ import annotations

import sys

import pytest

from goldlabel import InputError, find_tasks
from goldlabel.task import Task, find_task, task_names


@pytest.fixture
def other(tmp_path, monkeypatch):
    """Install a package with two tasks, one of which cannot be loaded."""
    info = tmp_path / "other-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    points = "[goldlabel.tasks]\nother = other_task:TASK\nbroken = nowhere:TASK\n"
    (info / "entry_points.txt").write_text(points)
    (tmp_path / "other_task.py").write_text(
        "from goldlabel.task import Task\nTASK = Task('other', 'something else', 'other_verbs')\n"
    )
    (tmp_path / "other_verbs.py").write_text(
        "def audit(path): return 'audited ' + path\n"
        "def export(source, corrections, out): return 'exported'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in ("other_task", "other_verbs"):
        sys.modules.pop(name, None)


def test_our_tasks_are_found():
    assert "multiclass" in task_names()
    assert isinstance(find_task("multiclass"), Task)
    assert list(find_tasks()) == sorted(find_tasks()) == task_names()


def test_a_third_party_s_task_is_found_and_its_verbs_are_loaded_when_used(other):
    assert {"multiclass", "other", "broken"} <= set(task_names())
    task = find_task("other")
    assert (task.name, task.title) == ("other", "something else")
    assert "other_verbs" not in sys.modules
    assert task.audit("file") == "audited file"
    assert task.export(None, None, None) == "exported"


def test_a_task_may_have_a_view(other):
    assert find_task("other").view is None
    for name in ("multiclass", "regression", "token", "detection", "segmentation"):
        assert find_task(name).view.__name__ == "view"


def test_one_task_is_found_without_loading_the_others(other):
    find_task("other")
    with pytest.raises(InputError, match="'broken' cannot be loaded from the package 'other'"):
        find_task("broken")


def test_a_task_without_its_verbs(other):
    task = Task("bare", "no verbs", "other_task")
    with pytest.raises(InputError, match="'bare' cannot be loaded from other_task"):
        task.audit  # noqa: B018
    with pytest.raises(InputError, match="nothing_there"):
        Task("gone", "no package", "nothing_there").export  # noqa: B018


def test_two_packages_with_one_task(other, tmp_path):
    info = tmp_path / "another-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[goldlabel.tasks]\nother = nowhere:TASK\n")
    with pytest.raises(InputError, match=r"'other' is offered by the package .* and the package"):
        find_task("other")


def test_an_unknown_task(other):
    with pytest.raises(InputError) as caught:
        find_task("another")
    assert caught.value.where == "task"
    assert caught.value.what == f"is 'another', not one of {', '.join(task_names())}"
    assert {"broken", "multiclass", "other"} <= set(task_names())
