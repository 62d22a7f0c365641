"""What codes mean, and what to do, is said in every language of the console: of the English words of today."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pytest

from functions.console_page import FOLDER
from functions.reference import Code, all_codes
from functions.words import languages
from tools.messages import explained, version

if TYPE_CHECKING:
    from collections.abc import Mapping

CODES: Final = {each.code: each for each in all_codes()}
CATALOGUES: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "messages" / "codes").iterdir())
}
NAMES: Final = re.compile(
    r"`[^`]+`"  # what the API names
    r"|\b[a-z]+(?:[._][a-z]+)+\b|\b[A-Z]+_[A-Z_]+\b|\b[a-z]+[A-Z]\w+\b"  # members and settings
    r"|\b[A-Z][a-z]+-[A-Z][-\w]+\b|\b[A-Z]{3,}\b|\d+",  # headers, abbreviations, figures
    re.ASCII,
)
"""What is written in all languages alike."""
THOUSANDS: Final = re.compile(r"(?<=\d)[,.\s](?=\d{3})")


def _names(text: str) -> set[str]:
    return set(NAMES.findall(THOUSANDS.sub("", text)))


def test_a_code_means_one_thing_wherever_it_stands() -> None:
    assert len(CODES) == len(all_codes())


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_what_a_code_means_has_no_gap_to_be_filled(code: Code) -> None:
    assert not re.search(r"[{}]", f"{code.meaning} {code.action}")


def test_every_language_but_english_explains_codes() -> None:
    """The API's own words are the English ones: there is no second source of them."""
    assert CATALOGUES.keys() == set(languages()) - {"en"}


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_code_is_explained_and_no_other(name: str) -> None:
    assert list(CATALOGUES[name]) == sorted(CODES)
    assert {frozenset(told) for told in CATALOGUES[name].values()} == {frozenset({"action", "meaning", "of"})}


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_translation_was_made_of_the_words_of_today(name: str) -> None:
    stale = {code for code, told in CATALOGUES[name].items() if told["of"] != version(CODES[code])}
    assert stale == set(), "make messages, then translate what is English in these"


@pytest.mark.parametrize("name", CATALOGUES)
def test_no_translation_is_english(name: str) -> None:
    english = {
        code
        for code, told in CATALOGUES[name].items()
        if told["meaning"] == CODES[code].meaning or told["action"] == CODES[code].action
    }
    assert english == set()


@pytest.mark.parametrize("name", CATALOGUES)
def test_names_and_figures_are_the_same_in_all_languages(name: str) -> None:
    for code, told in CATALOGUES[name].items():
        for english, own in ((CODES[code].meaning, told["meaning"]), (CODES[code].action, told["action"])):
            assert _names(own) == _names(english), (code, own)
            assert own.endswith((".", "。")), own


def test_a_translation_of_words_that_have_changed_is_english_again() -> None:
    kept, changed, new = (Code(code=name, kind="run", meaning=f"{name}.", action="Go.") for name in "abc")
    own = {
        each.code: {"meaning": f"{each.code} !", "action": "Allez.", "of": version(each)}
        for each in (kept, changed, Code(code="gone", kind="run", meaning="", action=""))
    }
    changed = changed.model_copy(update={"action": "Go on."})
    assert explained(own, (new, changed, kept)) == {
        "a": own["a"],
        "b": {"meaning": "b.", "action": "Go on.", "of": version(changed)},
        "c": {"meaning": "c.", "action": "Go.", "of": version(new)},
    }
