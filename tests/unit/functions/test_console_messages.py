"""All that the console says stands in its catalogues, in every language, and nothing there is of no use."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, get_args

import pytest

from functions import console_page, report
from functions.reference import all_codes
from shared.model.definitions import Export, Region
from shared.model.reasons import RunStatus
from shared.model.roles import Role
from shared.model.runs import ChunkStatus, RunKind, Trigger
from tests.support.javascript import HOLE, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER: Final = console_page.FOLDER
CATALOGUES: Final[dict[str, dict[str, Any]]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "messages").glob("*.json"))
}
ENGLISH: Final = CATALOGUES["en"]
SCRIPTS: Final = {
    path.relative_to(FOLDER).as_posix(): path.read_text()
    for path in sorted(FOLDER.rglob("*.js"))
    if path.parent.name != "vendor"
}
PLURALS: Final = {
    "en": {"one", "other"},
    "ca": {"one", "many", "other"},
    "ru": {"one", "few", "many", "other"},
    "fr": {"one", "many", "other"},
    "sv": {"one", "other"},
    "zh-Hant-HK": {"other"},
}
"""Forms that a language has; https://www.unicode.org/cldr/charts/latest/supplemental/language_plural_rules.html."""
NAMES: Final = {"field.facebook", "field.line", "field.whatsapp", "list.option"}
"""Names of products, and what is made of values only."""
ALIKE: Final = {
    "ca": {
        "connection.field.segments",
        "connection.segments",
        "definition.segments",
        "export_editor.field.segments",
        "field_type.Text",
        "region.global",
        "rejected.segment",
    },
    "fr": {
        "chunks.contacts",
        "common.actions",
        "connection.consent_version",
        "connection.field.segments",
        "connection.segments",
        "connections.type",
        "definition.segments",
        "export_editor.field.segments",
        "extracts.version",
        "field_type.Date",
        "found.contacts",
        "found.type",
        "overview.contacts",
        "rejected.segment",
        "run_kind.adoption",
    },
    "sv": {
        "audit.export",
        "chunks.status",
        "connection.consent_version",
        "connection.field.region",
        "connection.region",
        "definition.title",
        "export.title",
        "extracts.version",
        "field_type.Text",
        "overview.export",
        "region.global",
        "rejected.segment",
        "run.status",
        "run_kind.send",
    },
}
"""Messages whose words are the same in that language and in English."""
SHOWN_ATTRIBUTES: Final = re.compile(
    r"\b(?:aria-label|title|placeholder|alt|label|hint|legend|caption|empty|submit|action|error|message)=([\"']?)(\w[^\"'>]*)"
)
SENTENCE: Final = re.compile(r"^[A-Z][a-z]+ \w+")


def _used() -> tuple[set[str], set[str]]:
    """Keys that scripts and the report name, and beginnings of keys to which scripts add a code."""
    whole: set[str] = set()
    beginnings: set[str] = set()
    for source in SCRIPTS.values():
        texts = texts_of(source)
        whole |= {each for each in texts.strings if re.fullmatch(r"[a-z_]+(\.\w+)+", each)}
        beginnings |= {
            text.split(HOLE)[0] for _, text in texts.templates if re.match(rf"[a-z_]+\.[\w.]*{HOLE}", text)
        }
    whole |= set(re.findall(r"""\bt\("([\w.]+)"[,)]""", report.TEMPLATE.read_text()))
    return whole, beginnings


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_language_has_every_message_with_the_same_values(name: str) -> None:
    found = CATALOGUES[name]
    assert found.keys() == ENGLISH.keys()
    assert list(found) == sorted(found)
    for key, message in ENGLISH.items():
        assert _values(found[key]) == _values(message), key


def _values(message: str | dict[str, str]) -> set[str]:
    forms = [message] if isinstance(message, str) else list(message.values())
    return {value for form in forms for value in re.findall(r"{(\w+)}", form)}


@pytest.mark.parametrize("name", sorted(CATALOGUES.keys() - {"en"}))
def test_every_message_is_in_the_language_of_its_catalogue(name: str) -> None:
    english = {key for key, message in CATALOGUES[name].items() if message == ENGLISH[key]}
    assert english == NAMES | ALIKE.get(name, set())


@pytest.mark.parametrize("name", CATALOGUES)
def test_plural_forms_are_those_of_the_language(name: str) -> None:
    for key, message in CATALOGUES[name].items():
        if isinstance(message, dict):
            assert isinstance(ENGLISH[key], dict), key
            assert "other" in message, key
            assert message.keys() <= PLURALS[name], key


def test_every_language_of_the_page_has_a_catalogue() -> None:
    offered = re.search(r"LANGUAGES = \[([^\]]*)\]", SCRIPTS["i18n.js"])
    assert offered is not None
    assert set(re.findall(r'"([^"]+)"', offered[1])) == CATALOGUES.keys()


def test_every_message_that_is_asked_for_is_there() -> None:
    whole, beginnings = _used()
    groups = {key.split(".")[0] for key in ENGLISH}
    asked = {key for key in whole if key.split(".")[0] in groups}
    for name, source in SCRIPTS.items():
        literal = set(re.findall(r"""\bt\(\s*["']([^"']+)["']""", source))
        assert literal <= ENGLISH.keys(), f"{name} asks for {sorted(literal - ENGLISH.keys())}"
    assert not {key for key in asked if key not in ENGLISH and not any(each.startswith(key) for each in ENGLISH)}
    assert all(any(key.startswith(each) for key in ENGLISH) for each in beginnings if each.split(".")[0] in groups)


CODES: Final[dict[str, Iterable[str]]] = {
    "changes": get_args(Export.model_fields["changes"].annotation),
    "chunk_status": ChunkStatus,
    "leavers": get_args(Export.model_fields["leavers"].annotation),
    "region": Region,
    "role": Role,
    "run_kind": RunKind,
    "run_status": RunStatus,
    "run_trigger": Trigger,
    "schedule": ("refresh", "arrival", "cron", "off"),
}
"""Beginnings of messages that have a code of the API at their end, and all that the code may be."""


@pytest.mark.parametrize("beginning", CODES)
def test_every_code_that_is_shown_has_words(beginning: str) -> None:
    assert {f"{beginning}.{code}" for code in CODES[beginning]} <= ENGLISH.keys()


def test_runs_are_looked_for_by_every_trigger_and_kind() -> None:
    source = SCRIPTS["export/history.js"]
    for name, codes in {"TRIGGERS": Trigger, "KINDS": RunKind}.items():
        offered = re.search(rf"const {name} = \[([^\]]*)\]", source)
        assert offered is not None
        assert set(re.findall(r'"([^"]+)"', offered[1])) == set(codes)


def test_a_problem_of_the_console_itself_has_no_code_of_the_app() -> None:
    """What the app advises about its code would stand below it."""
    own = {code for source in SCRIPTS.values() for code in re.findall(r'code: "(\w+)"|_NEEDED = "(\w+)"', source)}
    codes = {code for both in own for code in both if code}
    assert codes == {"http_401", "id_needed", "offline"}
    assert not codes & {each.code for each in all_codes()}


def test_no_message_is_of_no_use() -> None:
    whole, beginnings = _used()
    assert {key for key in ENGLISH if key not in whole and not key.startswith(tuple(beginnings))} == set()


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_text_stands_outside_of_the_catalogues(name: str) -> None:
    texts = texts_of(SCRIPTS[name])
    for tag, template in texts.templates:
        if tag == "html":
            left = re.sub(r"<[^>]*>", " ", template.replace("=>", ""))
            assert not re.search(r"[^\W\d_]{2}", left), f"{name} shows {left.strip()!r}"
            assert not SHOWN_ATTRIBUTES.search(template), f"{name}: {SHOWN_ATTRIBUTES.search(template)}"
    allowed = set(re.findall(r"""new Error\(["'`]([^"'`]*)""", SCRIPTS[name]))
    assert [each for each in texts.strings if SENTENCE.match(each) and each not in allowed] == []


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("html`<p>Hello</p>`", True),
        ("html`<p>${t('a.b')}</p>`", False),
        ("html`<p>${x && html`<b>Oh no</b>`}</p>`", True),
        ("html`<p class=${`a b`}>…</p>`", False),
        ('html`<img alt="A cat" />`', True),
        ("// html`Hello`\nconst a = /`'/;", False),
    ],
)
def test_the_look_for_texts_finds_them(source: str, *, shown: bool) -> None:
    templates = [text for tag, text in texts_of(source).templates if tag == "html"]
    stripped = [re.sub(r"<[^>]*>", " ", each) for each in templates]
    found = any(re.search(r"[^\W\d_]{2}", each) for each in stripped)
    assert (found or any(map(SHOWN_ATTRIBUTES.search, templates))) is shown
