"""Another version of the app: the files of its package, with another number, whose documents say more.

So an upgrade finds what the former version left, and a rollback finds what it does not know.
"""

from pathlib import Path
from typing import Final

from infra.package import build_folder
from local.azure.processes import PROJECT_ROOT

VERSION: Final = "99.0.0"
NEW_MEMBER: Final = "said_by_the_next_version"
CHANGES: Final = (
    ("shared/__init__.py", "__version__ = ", f'__version__ = "{VERSION}"  # '),
    ("shared/model/documents.py", "    model_config = ", f'    {NEW_MEMBER}: str = "yes"\n    model_config = '),
)
"""File, the words that are found there once, and those in their place."""


def write_next_version(folder: Path) -> Path:
    """Lay it out in a folder; the folder. Raises LookupError where the code is not what it was."""
    folder.mkdir()
    build_folder(PROJECT_ROOT, folder, requirements=False)
    for name, found, instead in CHANGES:
        text = (folder / name).read_text("utf-8")
        if text.count(found) != 1:
            raise LookupError(f"{name} does not say once: {found}")
        (folder / name).write_text(text.replace(found, instead), "utf-8")
    return folder
