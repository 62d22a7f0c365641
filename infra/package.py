"""Builds the deployment package: the app's own files, listed here, and its pinned requirements.

Nothing else goes in, whatever lies in the working tree; .funcignore tells Core Tools the same list. What git does
not know ends the build.

`python3 infra/package.py` prints the path of the zip. It needs pip, any Python from 3.9 on, and git where the app
is a checkout: the wheels it fetches are those of the interpreter that Azure runs, not of the one that runs this,
and each must have one of the hashes in requirements.txt.
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
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[1]
FILES = ("function_app.py", "host.json", "requirements.txt")
FOLDERS = ("functions", "shared")
SUFFIXES = (".py", ".j2")
"""Of modules and templates, which is all that the folders hold beside …"""
PAGES = ("functions/console", "functions/swagger_ui")
"""… what browsers load: the console, and the page of the API's description."""
PAGES_SUFFIXES = (".html", ".js", ".mjs", ".css", ".json", ".txt")
LEFT_BY_PYTHON = ("__pycache__",)
KEY = re.compile(rb"(?<![0-9A-Za-z_])SG\.[0-9A-Za-z_-]{16,}")
"""A SendGrid API key is `SG.`, 22 characters, a full stop, 43 characters."""
PYTHON = "3.13"
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
SITE_PACKAGES = ".python_packages/lib/site-packages"
NEEDLESS = ("__pycache__", "*.pyc", "*.pyi", "tests", "RECORD", "INSTALLER", "REQUESTED")
"""What installed packages bring along and never use here; the last three tell who installed them, and where."""
MESSAGES = "functions/console/messages"
"""A file for each language that the app speaks."""
LOCALES = "babel/locale-data"
"""How numbers and times are written in a thousand languages and countries, 30 MB."""
UNIX = 3
"""In a zip, the system whose permissions its entries have; otherwise it is that of the machine that builds."""


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
    _require_tracked(root, found)
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
        elif path.suffix in _suffixes(folder) and not path.name.startswith("."):
            yield relative
        else:
            raise UnfitFileError(f"{relative} is neither a module nor a template; move it out of {folder}.")


def _suffixes(folder: Path) -> tuple[str, ...]:
    is_page = any(Path(page) in (folder, *folder.parents) for page in PAGES)
    return PAGES_SUFFIXES if is_page else SUFFIXES


def _require_tracked(root: Path, files: list[Path]) -> None:
    """Raise UnfitFileError for a file that git does not know; without a repository there is nothing to compare."""
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return
    command = ["git", "ls-files", "-z", "--", *FILES, *FOLDERS]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=True)  # noqa: S603 - our own words
    except FileNotFoundError:
        raise UnfitFileError("git is missing: it knows which files belong to the app.") from None
    except subprocess.CalledProcessError as error:
        raise UnfitFileError(f"git does not tell its files: {error.stderr.decode().strip()}") from None
    tracked = set(done.stdout.decode().split("\0"))
    for relative in files:
        if relative.as_posix() not in tracked:
            raise UnfitFileError(f"{relative} is unknown to git: add it there, or move it away.")


def require_no_key(relative: Path, data: bytes) -> None:
    """Raise UnfitFileError if a file holds what looks like a SendGrid key; the key is not told."""
    if KEY.search(data):
        raise UnfitFileError(f"{relative} holds what looks like a SendGrid API key; keys belong into the vault.")


def install_requirements(root: Path, target: Path) -> None:
    """Install requirements.txt for Azure's interpreter into `target`. Raises UnfitFileError if pip does not.

    The file was locked for that interpreter, so nothing is left to resolve, and what this one thinks of it is
    of no matter. A wheel without one of the hashes there is refused.
    """
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON, *platforms]
    command += [
        "--no-deps",
        "--ignore-requires-python",
        "--require-hashes",
        "--requirement",
        str(root / "requirements.txt"),
        "--target",
        str(target),
    ]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own words
        raise UnfitFileError("pip did not install requirements.txt; it says above why.")


def build_folder(root: Path, target: Path, *, requirements: bool = True) -> None:
    """Lay out the package in an empty folder. Raises UnfitFileError."""
    for relative in app_files(root):
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / relative, target / relative)
        require_no_key(relative, (target / relative).read_bytes())
    if requirements:
        site = target / SITE_PACKAGES
        install_requirements(root, site)
        shutil.rmtree(site / "bin", ignore_errors=True)
        for path in [each for each in site.rglob("*") if is_needless(each.relative_to(site))]:
            _remove(path)
        spoken = locales(path.stem for path in (root / MESSAGES).iterdir())
        for path in (site / LOCALES).glob("*.dat"):
            if path.stem not in spoken:
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def is_needless(path: Path) -> bool:
    """Whether a file of an installed package, or a folder, has no use at run time."""
    return any(fnmatch.fnmatchcase(path.name, rule) for rule in NEEDLESS)


def locales(languages: Iterable[str]) -> set[str]:
    """What Babel reads for languages: of zh-Hant-HK root, zh, zh_Hant and zh_Hant_HK."""
    words = [language.split("-") for language in languages]
    return {"root"} | {"_".join(each[:length]) for each in words for length in range(1, len(each) + 1)}


def write_zip(folder: Path, path: Path) -> None:
    """Zip a folder: the same bytes for the same files, wherever and whenever. Raises UnfitFileError."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()):
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, UNIX
            data = (folder / name).read_bytes()
            require_no_key(Path(name), data)
            archive.writestr(info, data)


def build(root: Path, *, requirements: bool = True) -> Path:
    """Build `.local/package.zip`; its path. Raises UnfitFileError, and leaves no package then."""
    folder, path = root / ".local/package", root / ".local/package.zip"
    path.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        build_folder(root, folder, requirements=requirements)
        write_zip(folder, path)
    except UnfitFileError:
        path.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return path


def main() -> None:
    """Build a package from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    try:
        print(build(parser.parse_args().root.resolve()))
    except UnfitFileError as error:
        sys.exit(f"package: {error}")


if __name__ == "__main__":
    main()
