"""Builds the deployment package: the app's own files, listed here, and its pinned requirements.

Nothing else goes in, whatever lies in the working tree; .funcignore tells other tools the same list.

`python3 infra/package.py` prints the path of the zip. It needs pip and nothing else, and any Python from 3.9 on:
the wheels it fetches are those of the interpreter that Azure runs, not of the one that runs this. With
`--without-requirements`, for a build in Azure, it does not even need pip.
"""

from __future__ import annotations

import argparse
import fnmatch
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
FILES = ("function_app.py", "host.json", "requirements.txt")
FOLDERS = ("functions", "shared")
SUFFIXES = (".py", ".j2")
"""Of modules and templates, which is all that the folders hold."""
LEFT_BY_PYTHON = ("__pycache__",)
KEY = re.compile(rb"(?<![0-9A-Za-z_])SG\.[0-9A-Za-z_-]{16,}")
"""A SendGrid API key is `SG.`, 22 characters, a full stop, 43 characters."""
PYTHON = "3.13"
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
SITE_PACKAGES = ".python_packages/lib/site-packages"
NEEDLESS = ("__pycache__", "*.pyc", "*.pyi", "tests")
"""What installed packages bring along and never use here."""


class UnfitFileError(Exception):
    """A file that must not go into the package, or one that is missing."""


def app_files(root: Path) -> list[Path]:
    """The app's own files, relative to `root`, in order. Raises UnfitFileError."""
    found = [Path(name) for name in FILES]
    for name in FOLDERS:
        found += sorted(_folder_files(root, Path(name)))
    for relative in found:
        if not (root / relative).is_file() or (root / relative).is_symlink():
            raise UnfitFileError(f"{relative} is needed, but it is no file here.")
    return found


def _folder_files(root: Path, folder: Path) -> Iterator[Path]:
    """All that is in a folder of the app. Raises UnfitFileError for what is neither a module nor a template."""
    if not (root / folder).is_dir():
        raise UnfitFileError(f"{folder} is needed, but it is no folder here.")
    for path in (root / folder).iterdir():
        relative = path.relative_to(root)
        if path.is_symlink():
            raise UnfitFileError(f"{relative} is a link, and only what lies in {folder} itself is packaged.")
        if path.is_dir():
            if path.name not in LEFT_BY_PYTHON:
                yield from _folder_files(root, relative)
        elif path.suffix in SUFFIXES and not path.name.startswith("."):
            yield relative
        else:
            raise UnfitFileError(f"{relative} is neither a module nor a template; move it out of {folder}.")


def require_no_key(relative: Path, data: bytes) -> None:
    """Raise UnfitFileError if a file holds what looks like a SendGrid key; the key is not told."""
    if KEY.search(data):
        raise UnfitFileError(f"{relative} holds what looks like a SendGrid API key; keys belong into the vault.")


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
    """Zip a folder, the same bytes for the same files. Raises UnfitFileError."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in sorted(folder.rglob("*")):
            relative = each.relative_to(folder)
            if each.is_file() and not is_needless(relative):
                info = zipfile.ZipInfo(str(relative), (2020, 1, 1, 0, 0, 0))
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                data = each.read_bytes()
                require_no_key(relative, data)
                archive.writestr(info, data)


def build(root: Path, *, requirements: bool) -> Path:
    """Build `.local/package.zip`, or `.local/app.zip` without the requirements; its path.

    Raises UnfitFileError, and leaves no package then.
    """
    name = "package" if requirements else "app"
    folder, path = root / ".local" / name, root / ".local" / f"{name}.zip"
    shutil.rmtree(folder, ignore_errors=True)
    path.unlink(missing_ok=True)
    folder.mkdir(parents=True)
    try:
        build_folder(root, folder, requirements=requirements)
        write_zip(folder, path)
    except UnfitFileError:
        path.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(folder)
    return path


def main() -> None:
    """Build a package from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    parser.add_argument("--without-requirements", action="store_true", help="for a build in Azure")
    arguments = parser.parse_args()
    try:
        print(build(arguments.root.resolve(), requirements=not arguments.without_requirements))
    except UnfitFileError as error:
        sys.exit(f"package: {error}")


if __name__ == "__main__":
    main()
