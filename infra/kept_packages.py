"""Says which of the packages that are kept is meant, and which are too many.

packages.sh calls this, with the list of the container's blobs on standard input; any Python from 3.9 on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

KEPT = 5
PACKAGE = re.compile(r"\d{8}T\d{6}Z-.+\.zip")
DEFINITIONS = re.compile(r"definitions/\d{8}T\d{6}Z\.tar\.gz")
VERSION = re.compile(r'^__version__\b.*= "([0-9A-Za-z.+-]+)"$', re.MULTILINE)
REQUIREMENTS = ".python_packages/"


class KeptError(Exception):
    """A package that is not there, or is none; says what to do."""


@dataclass(frozen=True)
class Kept:
    """A package in the container. Names begin with the time, so they are in its order."""

    name: str
    sha256: str
    published: str
    """When it was published; empty if it never was."""


def read_list(text: str) -> tuple[list[Kept], list[str]]:
    """Packages and blobs of definitions, the newest first."""
    blobs = sorted(json.loads(text), key=lambda blob: str(blob["name"]), reverse=True)
    packages = []
    for blob in blobs:
        facts = blob.get("metadata") or {}
        if PACKAGE.fullmatch(blob["name"]):
            packages.append(Kept(blob["name"], facts.get("sha256", ""), facts.get("published", "")))
    return packages, [blob["name"] for blob in blobs if DEFINITIONS.fullmatch(blob["name"])]


def surplus(packages: list[Kept], definitions: list[str]) -> list[str]:
    """What to delete after something was published: all but the five newest that were, each of them once."""
    stays: dict[str, str] = {}
    for each in packages:
        if each.published and len(stays) < KEPT:
            stays.setdefault(each.sha256, each.name)
    return [each.name for each in packages if each.name not in stays.values()] + definitions[KEPT:]


def choose(packages: list[Kept], name: str) -> Kept:
    """The package of that name, or with that in it; without one, the one before the newest that was published.

    Raises KeptError.
    """
    if name:
        found = [each for each in packages if name in each.name or each.sha256.startswith(name)]
        if len(found) != 1:
            raise KeptError(f"{len(found)} packages are called {name}; --packages lists those that are kept")
        return found[0]
    earlier = [each for each in packages if each.published][1:]
    if not earlier:
        raise KeptError(
            "there is no package from before the one that is published; --packages lists those that are kept"
        )
    return earlier[0]


def identify(file: Path) -> tuple[str, str]:
    """Version and SHA-256 of a package. Raises KeptError for what Azure could not run as it is."""
    try:
        with zipfile.ZipFile(file) as archive:
            version = VERSION.search(archive.read("shared/__init__.py").decode())
            complete = any(name.startswith(REQUIREMENTS) for name in archive.namelist())
    except (OSError, KeyError, zipfile.BadZipFile):
        raise KeptError(f"{file} is no package of this app") from None
    if not complete:
        raise KeptError(f"{file} has no requirements inside; check its version out, and deploy that")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return version[1] if version else "unknown", digest


def main() -> None:
    """Answer a question from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("table", "surplus", "choose", "identify"))
    parser.add_argument("--name", default="", help="of a package")
    parser.add_argument("--file", type=Path, help="a package")
    options = parser.parse_args()
    try:
        if options.what == "identify":
            print(*identify(options.file))
            return
        packages, definitions = read_list(sys.stdin.read())
        if options.what == "choose":
            chosen = choose(packages, options.name)
            print(chosen.name, chosen.sha256)
        elif options.what == "surplus":
            print("\n".join(surplus(packages, definitions)))
        else:
            for each in packages:
                print(f"{each.name}  {each.published or 'never published'}  SHA-256 {each.sha256}")
    except KeptError as error:
        sys.exit(f"deploy: {error}")


if __name__ == "__main__":
    main()
