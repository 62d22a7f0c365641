"""What goes into the deployment package, and what ends its build: tried on trees of files that were made up."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import package
from tests.infra.test_package import ROOT, SITE

# --- what goes in -------------------------------------------------------------------------------------------

LYING_ABOUT = (
    *(
        "key.txt",
        "new-key.txt",
        "HighValue.csv",
        "customers.csv",
        "exports-dump/people.json",
        "local.settings.json",
    ),
    *(".env", ".venv/x.py", ".local/x.zip", ".python_packages/x.py", "node_modules/x/index.js"),
    *(
        "docs/deploy.md",
        "infra/package.py",
        "tests/functions/x.py",
        "tests/shared/x.py",
        "local/x.py",
        "tools/x.py",
    ),
    *("README.md", "requirements.in", "requirements-dev.txt", "package.json", "other.py", "host.json.bak/x"),
    *("shared/__pycache__/errors.cpython-313.pyc", "shared/planning/__pycache__/plan.cpython-313.pyc"),
    "functions/__pycache__/runs.cpython-313.pyc",
)
"""What a working tree holds beside the app."""
BELONGING_NOWHERE = (
    "shared/people.csv",
    "shared/planning/key.txt",
    "functions/.env",
    "shared/planning/.py",
    "functions/page.js",
)
"""What ends a build that lists it, and what those that read .funcignore leave out."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A working tree: the app, and much that lies about."""
    tree = tmp_path / "tree"
    for name in package.FOLDERS:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*package.FILES, ".funcignore"):
        shutil.copyfile(ROOT / name, tree / name)
    _git(tree, "init", "--quiet")
    _git(tree, "add", "--", *package.FILES, *package.FOLDERS)
    for name in LYING_ABOUT:
        _write(tree / name, "x")
    return tree


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _build(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "infra/package.py"), "--root", str(tree)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words


def test_nothing_that_lies_about_goes_in(tree: Path) -> None:
    with zipfile.ZipFile(package.build(tree, requirements=False)) as archive:
        inside = set(archive.namelist())
    tracked = _git(ROOT, "ls-files", *package.FILES, *package.FOLDERS)
    assert inside == tracked


@pytest.mark.parametrize("name", BELONGING_NOWHERE)
def test_a_file_of_an_unknown_kind_ends_the_build(tree: Path, name: str) -> None:
    _write(tree / name, "x")
    done = _build(tree)
    assert done.returncode == 1
    assert done.stderr == (
        f"package: {name} is neither a module nor a template; move it out of {Path(name).parent}.\n"
    )
    assert not (tree / ".local/package.zip").exists()


@pytest.mark.parametrize("name", ["shared/people.py", "functions/mine.j2", "shared/planning/draft.py"])
def test_a_file_that_git_does_not_know_ends_the_build(tree: Path, name: str) -> None:
    _write(tree / name, "x")
    done = _build(tree)
    assert done.returncode == 1
    assert done.stderr == f"package: {name} is unknown to git: add it there, or move it away.\n"


def test_without_git_a_checkout_is_not_packaged(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tree / "nothing"))
    with pytest.raises(package.UnfitFileError, match="git is missing"):
        package.app_files(tree)


def test_a_damaged_repository_ends_the_build(tree: Path) -> None:
    (tree / ".git/HEAD").unlink()
    with pytest.raises(package.UnfitFileError, match=r"git does not tell its files: .*not a git repository"):
        package.app_files(tree)


def test_an_unpacked_archive_of_the_sources_is_packaged_without_git(tree: Path) -> None:
    shutil.rmtree(tree / ".git")
    assert len(package.app_files(tree)) > 50


@pytest.mark.parametrize("target", ["key.txt", "exports-dump"])
def test_a_link_ends_the_build(tree: Path, target: str) -> None:
    (tree / "shared/link.py").symlink_to(tree / target)
    done = _build(tree)
    assert (done.returncode, "shared/link.py is a link" in done.stderr) == (1, True)


@pytest.mark.parametrize("name", ["host.json", "functions"])
def test_what_is_missing_ends_the_build(tree: Path, name: str) -> None:
    (tree / name).rename(tree / "elsewhere")
    done = _build(tree)
    assert (done.returncode, f"{name} is needed" in done.stderr) == (1, True)


@pytest.mark.parametrize("name", ["shared/settings.py", "functions/report.html.j2", "host.json"])
def test_a_key_ends_the_build_and_is_not_told(tree: Path, name: str) -> None:
    key = f"SG.{'a1_-' * 5}ab.{'b2_-' * 10}abc"
    with (tree / name).open("a") as file:
        file.write(f'KEY = "{key}"\n')
    done = _build(tree)
    assert done.returncode == 1
    assert done.stderr == (
        f"package: {name} holds what looks like a SendGrid API key; keys belong into the vault.\n"
    )
    assert [path.name for path in (tree / ".local").iterdir()] == ["x.zip"]


@pytest.mark.parametrize("text", ["MSG.this_is_no_key_at_all", "SG.", "SG.short", "sg.aaaaaaaaaaaaaaaaaaaaaa"])
def test_other_words_are_no_key(text: str) -> None:
    package.require_no_key(Path("x.py"), text.encode())


def _git(folder: Path, *arguments: str) -> set[str]:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603, S607 - our own words
    return set(done.stdout.splitlines())


def test_whoever_reads_the_ignore_file_as_git_does_comes_to_the_same_list(tree: Path) -> None:
    listed = {str(path) for path in package.app_files(tree)}
    for name in BELONGING_NOWHERE[:3]:
        _write(tree / name, "x")
    shutil.rmtree(tree / ".git")
    _git(tree, "init", "--quiet")
    assert _git(tree, "ls-files", "--others", "--exclude-from=.funcignore") == listed


def _allowed_by_core_tools(rules: str, path: str) -> bool:
    """Core Tools' reading: a rule is the beginning of a path; what one allows, no other forbids.

    https://github.com/Azure/azure-functions-core-tools/blob/main/src/Azure.Functions.Cli/Common/GitIgnoreParser.cs
    """
    lines = [line.strip() for line in rules.splitlines()]
    forbidden = [line for line in lines if line and line[0] not in "!#"]
    return any(_begins(rule[1:], path) for rule in lines if rule.startswith("!")) or not any(
        _begins(rule, path) for rule in forbidden
    )


def _begins(rule: str, path: str) -> bool:
    escaped = re.sub(r"[-\[\]/{}()+?.\\^$|]", r"\\\g<0>", rule.removeprefix("/"))
    return re.match(escaped.replace("**", "(.+)").replace("*", "([^/]+)"), path) is not None


def test_core_tools_come_to_the_same_list(tree: Path) -> None:
    listed = {str(path) for path in package.app_files(tree)}
    shutil.rmtree(tree / ".git")
    for name in BELONGING_NOWHERE[:3]:
        _write(tree / name, "x")
    rules = (tree / ".funcignore").read_text()
    files = [path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()]
    taken = {path for path in files if _allowed_by_core_tools(rules, path)}
    assert taken - {"host.json.bak/x"} == listed  # which begins as host.json does


def test_files_with_keys_or_people_are_not_committed_by_mistake(tree: Path) -> None:
    shutil.rmtree(tree / ".git")
    shutil.copyfile(ROOT / ".gitignore", tree / ".gitignore")
    _git(tree, "init", "--quiet")
    uncommitted = _git(tree, "ls-files", "--others", "--exclude-standard")
    assert not uncommitted & {"key.txt", "new-key.txt", "HighValue.csv", "customers.csv", ".env"}
    assert _git(ROOT, "ls-files", "--cached", "--ignored", "--exclude-standard") == set()


# --- what is installed --------------------------------------------------------------------------------------


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel of one module, as anybody can make it."""
    path = tmp_path / "wheels/cronsim-2.8-py3-none-any.whl"
    path.parent.mkdir()
    about = {"METADATA": "Metadata-Version: 2.1\nName: cronsim\nVersion: 2.8\n", "RECORD": ""}
    about["WHEEL"] = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cronsim.py", "x = 1\n")
        for name, text in about.items():
            archive.writestr(f"cronsim-2.8.dist-info/{name}", text)
    return path


@pytest.fixture
def requiring(tree: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working tree, requiring that wheel alone, where pip finds no other."""
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(wheel.parent), "CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (tree / "requirements.txt").write_text(f"cronsim==2.8 --hash=sha256:{digest}\n")
    return tree


def test_requirements_are_inside(requiring: Path) -> None:
    with zipfile.ZipFile(package.build(requiring)) as archive:
        inside = {name for name in archive.namelist() if name.startswith(".python_packages")}
    assert inside == {
        f"{SITE}/cronsim.py",
        *(f"{SITE}/cronsim-2.8.dist-info/{name}" for name in ("METADATA", "WHEEL")),
    }


@pytest.mark.parametrize("hashes", ["", f" --hash=sha256:{'0' * 64}"], ids=["no hash", "another hash"])
def test_a_wheel_that_is_not_the_one_pinned_ends_the_build(requiring: Path, hashes: str) -> None:
    (requiring / "requirements.txt").write_text(f"cronsim==2.8{hashes}\n")
    done = _build(requiring)
    assert done.returncode == 1
    assert done.stderr.endswith("package: pip did not install requirements.txt; it says above why.\n")
    assert "HASHES" in done.stderr.upper()
    assert not (requiring / ".local/package.zip").exists()


@pytest.mark.parametrize(
    "path", [*ROOT.glob("requirements*.txt"), *ROOT.glob("tools/requirements*.txt")], ids=lambda path: path.name
)
def test_every_pinned_package_has_hashes(path: Path) -> None:
    entries = re.findall(r"^(\S+==\S+)((?: \\\n    \S+)*)", path.read_text(), re.MULTILINE)
    assert len(entries) > 20
    assert [name for name, hashes in entries if "--hash=sha256:" not in hashes] == []
