"""Types hold under ``mypy --strict``, and editors follow imports in an editable install."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
from editor_links import lay_links

ROOT = Path(__file__).parent.parent


def mypy(*arguments):
    """Run mypy as CONTRIBUTING has it run: where things are stands in pyproject.toml."""
    lay_links()
    command = [sys.executable, "-m", "mypy", "--no-error-summary", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_mypy_strict():
    done = mypy("-p", "goldlabel")
    assert done.returncode == 0, done.stdout + done.stderr


CALLER = """\
from typing import assert_type

import goldlabel
from goldlabel.datasets import plant_errors
from goldlabel.tasks.multiclass import find_label_issues

assert_type(find_label_issues([0, 1], [[0.9, 0.1], [0.2, 0.8]]), goldlabel.LabelIssues)
plant_errors([0, 1], rait=0.1)
goldlabel.find_labels
"""


def test_callers_get_types(tmp_path):
    """Public names are loaded late, and type checkers see them all the same."""
    caller = tmp_path / "caller.py"
    caller.write_text(CALLER, encoding="utf-8")
    done = mypy(caller)
    found = [line.split(": error: ")[1] for line in done.stdout.splitlines() if ": error: " in line]
    assert len(found) == 2, done.stdout + done.stderr
    assert 'Unexpected keyword argument "rait"' in found[0]
    assert 'no attribute "find_labels"' in found[1]


def pyright(name):
    """Return the command of pyright's checker or language server; skip if it isn't installed."""
    command = shutil.which(name)
    if command is None:
        pytest.skip(f"{name} is not on the PATH: npm install -g pyright")
    lay_links()
    return command


def test_pyright_follows_imports(tmp_path):
    caller = tmp_path / "caller.py"
    caller.write_text(CALLER, encoding="utf-8")
    own = [ROOT / "toolkit/learning/filters.py", ROOT / "tasks/multiclass/issues.py"]
    command = [pyright("pyright"), "--outputjson", "--pythonpath", sys.executable, caller, *own]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    messages = [
        (Path(entry["file"]).name, entry["rule"])
        for entry in json.loads(done.stdout)["generalDiagnostics"]
        if entry["severity"] == "error"
    ]
    assert messages == [
        ("caller.py", "reportCallIssue"),
        ("caller.py", "reportAttributeAccessIssue"),
    ], done.stdout


def test_go_to_definition_lands_in_the_file():
    """Ask pyright's language server, as editors do, where a name imported in a module is made."""
    path = ROOT / "toolkit/learning/filters.py"
    text = path.read_text(encoding="utf-8")
    line, name = next(
        (number, found[1])
        for number, words in enumerate(text.splitlines())
        if (found := re.fullmatch(r"from goldlabel\.inputs import (\w+).*", words))
    )
    document = {"uri": path.as_uri()}
    place = {"line": line, "character": text.splitlines()[line].index(f"import {name}") + 8}
    opened = {**document, "languageId": "python", "version": 1, "text": text}
    folders = {"workspaceFolders": [{"uri": ROOT.as_uri(), "name": "goldlabel"}]}
    able = {"capabilities": {"workspace": {"workspaceFolders": True}}}
    answer = ask(
        pyright("pyright-langserver"),
        ("initialize", {"processId": None, **folders, **able}),
        ("initialized", {}),
        ("textDocument/didOpen", {"textDocument": opened}),
        ("textDocument/definition", {"textDocument": document, "position": place}),
    )
    found = Path(answer[0]["uri"].removeprefix("file://"))
    assert found.resolve() == ROOT / "toolkit/inputs" / f"{name}.py"


def ask(server, *messages):
    """Send messages of the language server protocol; return what is answered to the last one."""
    with subprocess.Popen(
        [server, "--stdio"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        watchdog = Timer(120, process.kill)
        watchdog.start()
        try:
            for number, (method, params) in enumerate(messages, start=1):
                send(process.stdin, {"id": number, "method": method, "params": params})
                answer = None
                while method in ("initialize", messages[-1][0]) and answer is None:
                    received = receive(process.stdout)
                    if "method" not in received and received["id"] == number:
                        answer = received["result"]
                    elif "method" in received and "id" in received:  # the server's own question
                        send(process.stdin, {"id": received["id"], "result": None})
            return answer
        finally:
            watchdog.cancel()
            process.kill()


def send(stream, message):
    if message.get("method") in ("initialized", "textDocument/didOpen"):  # no answer is expected
        message = {key: value for key, value in message.items() if key != "id"}
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    stream.flush()


def receive(stream):
    length = 0
    while line := stream.readline().strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    assert length, "the language server went away"
    return json.loads(stream.read(length))
