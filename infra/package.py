"""Builds the deployment package: the app without what .funcignore names, and its pinned requirements.

`python3 infra/package.py` prints the path of the zip. It needs pip and nothing else, and any Python from 3.9 on:
the wheels it fetches are those of the interpreter that Azure runs, not of the one that runs this. With
`--without-requirements`, for a build in Azure, it does not even need pip.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "3.13"
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
SITE_PACKAGES = ".python_packages/lib/site-packages"
NEEDLESS = ("__pycache__", "*.pyc", "*.pyi", "tests")
"""What installed packages bring along and never use here."""


def read_rules(root: Path) -> list[str]:
    """The rules of .funcignore. Raises ValueError for one that this script does not read."""
    lines = [line.strip() for line in (root / ".funcignore").read_text().splitlines()]
    rules = [line for line in lines if line and not line.startswith("#")]
    for rule in rules:
        if rule.startswith("!") or "**" in rule or "/" in rule.strip("/"):
            raise ValueError(f".funcignore: only plain names are read, not {rule!r}")
    return rules


def is_ignored(relative: Path, *, folder: bool, rules: list[str]) -> bool:
    """Whether a rule names this file or folder itself; a folder's contents go with it."""
    for rule in rules:
        if rule.startswith("/") and len(relative.parts) > 1:
            continue
        if rule.endswith("/") and not folder:
            continue
        if fnmatch.fnmatchcase(relative.name, rule.strip("/")):
            return True
    return False


def app_files(root: Path) -> list[Path]:
    """The app's own files, relative to `root`, in order."""
    rules = read_rules(root)
    found: list[Path] = []
    for directory, folders, files in os.walk(root):
        here = Path(directory).relative_to(root)
        folders[:] = sorted(name for name in folders if not is_ignored(here / name, folder=True, rules=rules))
        found += [here / name for name in sorted(files) if not is_ignored(here / name, folder=False, rules=rules)]
    return found


def install_requirements(root: Path, target: Path) -> None:
    """Install requirements.txt for Azure's interpreter into `target`.

    The file was locked for that interpreter, so nothing is left to resolve, and what this one thinks of it is
    of no matter.
    """
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON, *platforms]
    command += [
        "--no-deps",
        "--ignore-requires-python",
        "--requirement",
        str(root / "requirements.txt"),
        "--target",
        str(target),
    ]
    subprocess.run(command, check=True)  # noqa: S603 - our own words


def build_folder(root: Path, target: Path, *, requirements: bool) -> None:
    """Lay out the package in an empty folder."""
    for relative in app_files(root):
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / relative, target / relative)
    if requirements:
        install_requirements(root, target / SITE_PACKAGES)
        shutil.rmtree(target / SITE_PACKAGES / "bin", ignore_errors=True)


def is_needless(path: Path) -> bool:
    """Whether a file of an installed package has no use at run time."""
    return any(fnmatch.fnmatchcase(part, rule) for part in path.parts for rule in NEEDLESS)


def write_zip(folder: Path, path: Path) -> None:
    """Zip a folder, the same bytes for the same files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in sorted(folder.rglob("*")):
            relative = each.relative_to(folder)
            if each.is_file() and not is_needless(relative):
                info = zipfile.ZipInfo(str(relative), (2020, 1, 1, 0, 0, 0))
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(info, each.read_bytes())


def build(root: Path, *, requirements: bool) -> Path:
    """Build `.local/package.zip`, or `.local/app.zip` without the requirements; its path."""
    name = "package" if requirements else "app"
    folder, path = root / ".local" / name, root / ".local" / f"{name}.zip"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    build_folder(root, folder, requirements=requirements)
    write_zip(folder, path)
    shutil.rmtree(folder)
    return path


def main() -> None:
    """Build a package from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    parser.add_argument("--without-requirements", action="store_true", help="for a build in Azure")
    arguments = parser.parse_args()
    print(build(arguments.root.resolve(), requirements=not arguments.without_requirements))


if __name__ == "__main__":
    main()
