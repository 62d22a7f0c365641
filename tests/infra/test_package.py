"""The deployment package holds the app and nothing else, and the app indexes from it.

Built once with its requirements and its bill of materials by `make package`; PACKAGE_ROOT points the tests at
another checkout.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.words import Words, languages
from infra import package
from shared.model.messages import QUEUES

ROOT = Path(os.environ.get("PACKAGE_ROOT", Path(__file__).parents[2]))
SITE = Path(package.SITE_PACKAGES)
UNPACKED_MAX = 120_000_000
"""Bytes: keeps the start of an instance, which copies the package, short."""

INDEX = """
import json, sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/" + sys.argv[2]]
import function_app
found = function_app.app.get_functions()
bindings = {each.get_function_name(): json.loads(each.get_function_json())["bindings"] for each in found}
outside = [m.__file__ for m in sys.modules.values() if "site-packages" in (getattr(m, "__file__", "") or "")]
print(json.dumps({"functions": bindings, "outside": [f for f in outside if not f.startswith(sys.argv[1])]}))
"""

SPEAK = """
import json, sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/" + sys.argv[2]]
from zoneinfo import ZoneInfo
from functions.words import Words, languages
print(json.dumps({each: Words(language=each, zone=ZoneInfo("UTC")).duration(90) for each in languages()}))
"""


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package without its requirements, laid out anew."""
    folder = tmp_path_factory.mktemp("package")
    package.build_folder(ROOT, folder, requirements=False)
    return folder


@pytest.fixture(scope="session")
def built() -> Path:
    """The package that `make package` built, requirements and all."""
    path = ROOT / ".local/package.zip"
    if not path.is_file() or path.stat().st_mtime < (ROOT / "requirements.txt").stat().st_mtime:
        pytest.skip(f"THE PACKAGE WAS NOT CHECKED: {path} is missing or old; run make package")
    return path


@pytest.fixture(scope="session")
def index(built: Path, app: Path) -> dict[str, Any]:
    """The functions as indexed by a Python that sees the package only."""
    with zipfile.ZipFile(built) as archive:
        archive.extractall(app, [name for name in archive.namelist() if name.startswith(str(SITE))])
    return _run_there(app, INDEX)


def _run_there(app: Path, script: str) -> dict[str, Any]:
    """What a script prints that sees the package only."""
    command = [sys.executable, "-S", "-c", script, str(app), str(SITE)]
    done = subprocess.run(command, env={}, cwd=app, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _triggers(index: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {
        name: next(each for each in bindings if each["type"].endswith("rigger"))
        for name, bindings in index["functions"].items()
    }


def test_only_the_app_is_in_it(app: Path) -> None:
    assert {path.name for path in app.iterdir()} - {".python_packages"} == {
        "function_app.py",
        "host.json",
        "requirements.txt",
        "functions",
        "shared",
    }


def test_only_code_the_reports_template_and_what_browsers_load_are_in_its_folders(app: Path) -> None:
    files = [path for name in ("functions", "shared") for path in (app / name).rglob("*") if path.is_file()]
    pages = [path for page in package.PAGES for path in (ROOT / page).rglob("*") if path.is_file()]
    assert {path.relative_to(app) for path in files if path.suffix != ".py"} == {
        Path("functions/reasons.html.j2"),
        Path("functions/report.html.j2"),
        *(path.relative_to(ROOT) for path in pages),
    }


def test_zip_holds_the_app_as_it_is_now(built: Path, app: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        inside = {
            name: archive.read(name) for name in archive.namelist() if not name.startswith(".python_packages")
        }
    ours = [path for path in app.rglob("*") if path.is_file() and SITE.parts[0] not in path.parts]
    assert inside == {str(path.relative_to(app)): path.read_bytes() for path in ours}


def test_zip_tells_nothing_of_who_built_it_and_when(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        entries = archive.infolist()
    assert [each.filename for each in entries] == sorted(each.filename for each in entries)
    assert {(each.date_time, each.create_system, each.external_attr) for each in entries} == {
        ((2020, 1, 1, 0, 0, 0), package.UNIX, 0o644 << 16)
    }
    assert not {Path(each.filename).name for each in entries} & {"RECORD", "INSTALLER", "REQUESTED"}


def test_wheels_are_those_of_azures_interpreter(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        wheels = [name for name in archive.namelist() if name.endswith(".dist-info/WHEEL")]
        tags = [line for name in wheels for line in archive.read(name).decode().splitlines() if "Tag: " in line]
        binaries = {name for name in archive.namelist() if ".cpython-" in name}
    foreign = [tag for tag in tags if not re.search(r"-none-any$|_x86_64$", tag)]
    assert (foreign, len(wheels) > 30) == ([], True)
    assert {name for name in binaries if ".cpython-313-x86_64-linux-gnu." not in name} == set()


def test_bill_of_materials_names_what_is_in_the_package(built: Path) -> None:
    bill = json.loads(built.with_suffix(".cdx.json").read_text())
    with zipfile.ZipFile(built) as archive:
        folders = {Path(name).parent.name for name in archive.namelist() if name.endswith(".dist-info/METADATA")}
    inside = {folder.removesuffix(".dist-info").lower().replace("_", "-") for folder in folders}
    named = {f"{each['name']}-{each['version']}".lower().replace("_", "-") for each in bill["components"]}
    assert {name.replace(".", "-") for name in named} == {name.replace(".", "-") for name in inside}
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "sendgrid-segment-export"


def test_it_is_small_enough(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        assert sum(each.file_size for each in archive.infolist()) < UNPACKED_MAX


def test_app_indexes_with_its_requirements_only(index: dict[str, Any]) -> None:
    assert index["outside"] == []
    assert index["functions"].keys() >= {"refresh_exports", "sweep", "plan_run", "deliver_chunk", "check_import"}


def test_it_speaks_the_languages_of_the_console_and_no_others(index: dict[str, Any], app: Path) -> None:
    assert index
    spoken = _run_there(app, SPEAK)
    assert spoken == {each: Words(language=each, zone=ZoneInfo("UTC")).duration(90) for each in languages()}
    kept = {path.stem for path in (app / SITE / package.LOCALES).glob("*.dat")}
    assert kept - {"root", "zh", "zh_Hant"} == {each.replace("-", "_") for each in languages()}


def test_health_the_console_and_what_describes_the_api_are_the_only_open_doors(index: dict[str, Any]) -> None:
    open_to_all = {
        trigger["route"]
        for trigger in _triggers(index).values()
        if trigger["type"] == "httpTrigger" and trigger["authLevel"].lower() == "anonymous"
    }
    assert open_to_all == {
        *("api/health", "api/reasons", "api/openapi.json"),
        *("api/docs", "api/docs/swagger-ui.js", "api/docs/swagger-ui.css"),
        "api/sign-in",
        "console/{*path}",
    }


def test_every_queue_that_is_deployed_is_listened_to(index: dict[str, Any]) -> None:
    queues = [trigger for trigger in _triggers(index).values() if trigger["type"] == "queueTrigger"]
    assert {trigger["connection"] for trigger in queues} == {"DataStorage"}
    assert {trigger["queueName"] for trigger in queues} == {
        f"{name}{poison}" for name in QUEUES for poison in ("", "-poison")
    }


def test_timers_take_their_schedule_from_the_setting(index: dict[str, Any]) -> None:
    timers = [trigger for trigger in _triggers(index).values() if trigger["type"] == "timerTrigger"]
    assert {trigger["schedule"] for trigger in timers} == {"%SCHEDULE_TICK%"}
    assert {trigger.get("runOnStartup") for trigger in timers} <= {None, False}


def test_same_files_make_the_same_zip(app: Path, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        package.write_zip(app / "functions", tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
