"""A task from a third party, installed beside goldlabel, and a table for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from goldlabel.cli import main

THIRD_PARTY = Path(__file__).parent / "thirdparty"

TABLE = """\
name,account,says,sure
bread,food,food,0.95
train,food,travel,0.97
hotel,travel,travel,0.6
taxi,food,travel,0.7
soup,travel,food,0.99
"""


@pytest.fixture(autouse=True)
def _ledger(monkeypatch):
    monkeypatch.syspath_prepend(str(THIRD_PARTY))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "ledger"]:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def opened(monkeypatch):
    """Return the addresses that were opened in a browser; a review that is served ends at once."""
    from goldlabel.review.server import Server

    addresses = []
    monkeypatch.setattr("webbrowser.open", addresses.append)
    monkeypatch.setattr(Server, "run", lambda server: server.close())
    return addresses


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Return a table in the current folder, which is empty but for it."""
    monkeypatch.chdir(tmp_path)
    path = Path("bookings.csv")
    path.write_text(TABLE)
    return path


@pytest.fixture
def run(capsys):
    """Run a command; return its exit code, and what it printed on stdout and stderr."""

    def run(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def audited(table, run):
    """Return the folder of an audit of the table."""
    code, _, err = run("audit", "ledger", table, "--id", "name", "--out", "audit")
    assert (code, err) == (0, "")
    return Path("audit")
