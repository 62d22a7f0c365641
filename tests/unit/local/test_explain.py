"""What `make explain` prints, and with which exit code it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.explain import WOULD_REFUSE, WRONG_OPTIONS

ROOT = Path(__file__).parents[3]
CASES = ROOT.parent / "shared" / "cases"
NOT_THERE = f"THE CASES MADE AFTER BUG REPORTS WERE NOT TRIED: there is no {CASES}"


def ask(folder: Path, **options: str) -> tuple[int, dict[str, Any], str]:
    command = [sys.executable, "-m", "local.explain"]
    environment = os.environ | {"FOLDER": str(folder), "SEGMENT": "Seg"} | options
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "files"


def as_file(folder: Path, name: str, content: object) -> str:
    path = folder / name
    path.write_text(json.dumps(content))
    return str(path)


def test_what_would_be_sent_is_told(tmp_path: Path) -> None:
    files = {
        "Seg/2026-02-27/part-0.csv": "EMail\nold@example.com\n",
        "Seg/2026-02-28/part-0.csv": "EMail,FirstName,Points\nann@example.com,Ann,7\nnobody,Bo,x\n",
        "Seg/2026-02-28/readme.txt": "hello",
    }
    fields = as_file(tmp_path, "fields.json", {"Score": {"id": "e1_N", "type": "Number"}})
    mapping = as_file(tmp_path, "mapping.json", {"email": "EMail", "custom_fields": {"Score": "Points"}})
    code, answer, _ = ask(written(tmp_path, files), FIELDS=fields, MAPPING=mapping, CONTACTS="5")
    assert (code, answer["reason"], answer["version"]) == (0, None, "2026-02-28")
    assert answer["files"] == ["Seg/2026-02-28/part-0.csv"]
    assert {each["name"]: each["why"] for each in answer["passed_over"]} == {
        "Seg/2026-02-28/readme.txt": "is a note",
        "Seg/2026-02-27/": "is older than what is read",
    }
    assert (answer["rows"], answer["contacts"], answer["rejected"]) == (2, 1, {"email_invalid": 1})
    assert answer["first_contacts"] == [{"email": "ann@example.com", "custom_fields": {"e1_N": 7}}]


def test_what_would_be_refused_is_told(tmp_path: Path) -> None:
    code, answer, _ = ask(written(tmp_path, {"Seg/north.csv": "EMail\n", "Seg/south.csv": "EMail\n"}))
    assert (code, answer["reason"], answer["files"]) == (WOULD_REFUSE, "extract_ambiguous", [])
    assert "Seg/north.csv, Seg/south.csv" in answer["message"]


def test_nothing_to_send_is_a_refusal(tmp_path: Path) -> None:
    code, answer, _ = ask(written(tmp_path, {"Seg.csv": "EMail,FirstName\nnobody,Bo\n"}))
    assert (code, answer["reason"], answer["contacts"]) == (WOULD_REFUSE, "no_valid_contact", 0)


def test_declared_options_are_read(tmp_path: Path) -> None:
    source = as_file(tmp_path, "source.json", {"layout": "{segment}-{run}.csv"})
    code, answer, _ = ask(written(tmp_path, {"Seg-x.csv": "EMail,FirstName\nann@example.com,\n"}), SOURCE=source)
    assert (code, answer["contacts"]) == (0, 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"FOLDER": "/nowhere"}, "FOLDER=/nowhere is no folder"),
        ({"SEGMENT": ""}, "FOLDER and SEGMENT are needed"),
        ({"CONTACTS": "some"}, "CONTACTS=some is no number"),
        ({"MAPPING": "/nowhere.json"}, "MAPPING=/nowhere.json cannot be read"),
    ],
)
def test_options_that_make_no_sense_are_told(tmp_path: Path, options: dict[str, str], words: str) -> None:
    code, _, stderr = ask(tmp_path, **options)
    assert (code, words in stderr) == (WRONG_OPTIONS, True)


def test_a_misspelt_option_of_the_source_is_told(tmp_path: Path) -> None:
    code, _, stderr = ask(tmp_path, SOURCE=as_file(tmp_path, "source.json", {"encodng": "cp1252"}))
    assert (code, "encodng" in stderr) == (WRONG_OPTIONS, True)


@pytest.mark.skipif(not CASES.is_dir(), reason=NOT_THERE)
@pytest.mark.parametrize("case", sorted(CASES.glob("*/case.json")), ids=lambda case: case.parent.name)
def test_a_case_made_after_a_bug_report_is_right(case: Path, tmp_path: Path) -> None:
    given = json.loads(case.read_text())
    expected = json.loads((case.parent / "expected.json").read_text())
    options = {
        variable: as_file(tmp_path, f"{member}.json", given[member])
        for member, variable in {"mapping": "MAPPING", "source": "SOURCE", "custom_fields": "FIELDS"}.items()
        if member in given
    }
    (segment,) = given.get("segments", ["Seg"])
    prefix = given.get("prefix", "")
    code, answer, _ = ask(case.parent / "files", SEGMENT=segment, PREFIX=prefix, CONTACTS="2000", **options)
    if "ends" in expected:
        assert (code, answer["reason"]) == (WOULD_REFUSE, expected["ends"])
        return
    assert (code, answer["contacts"]) == (0, expected.get("sent", answer["contacts"]))
    for contact in expected["contacts"] if isinstance(expected.get("contacts"), list) else []:
        wanted = contact if isinstance(contact, dict) else {"email": contact.split(" / ")[0]}
        assert any(wanted.items() <= each.items() for each in answer["first_contacts"])
