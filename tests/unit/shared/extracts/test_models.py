from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from shared import limits
from shared.errors import RunEndError
from shared.extracts import model_json
from shared.extracts.discovery import find_extract, list_extracts
from shared.model.reason_codes import ReasonCode
from tests.support.in_memory_app import Clock
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACE = "account/extracts"
INSIDE = "https://account.blob.core.windows.net/extracts/team/Seg/a.csv"


def a_model(*locations: str, name: str = "Seg") -> dict[str, object]:
    partitions = [{"location": location} for location in locations]
    return {"name": name, "attributes": [{"name": "EMail"}], "partitions": partitions}


def delivered(files: Mapping[str, object]) -> MemoryBlobs:
    blobs = MemoryBlobs(Clock())
    for name, content in files.items():
        blobs.upsert(name, content.encode() if isinstance(content, str) else json.dumps(content).encode())
    return blobs


def with_model(*locations: str, prefix: str = "team") -> MemoryBlobs:
    files = dict.fromkeys(("team/Seg/a.csv", "other-team/secret.csv", "up.csv", "Seg/a.csv"), "EMail\n")
    return delivered(files | {f"{prefix}/model.json": {"entities": [a_model(*locations)]}})


# --- the wall -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location",
    [
        INSIDE,
        "https://elsewhere.dfs.core.windows.net/backup/team/Seg/a.csv",
        "Seg/a.csv",
        "team/Seg/a.csv",
        "https://account.blob.core.windows.net/extracts/other-team/../team/Seg/a.csv",
    ],
)
def test_a_file_below_the_prefix_is_read(location: str) -> None:
    extract = find_extract(with_model(location), "Seg", prefix="team")
    assert [file.name for file in extract.files] == ["team/Seg/a.csv"]


@pytest.mark.parametrize(
    "location",
    [
        "https://account.blob.core.windows.net/extracts/other-team/secret.csv",
        "https://evil.blob.core.windows.net/extracts/other-team/secret.csv",
        "https://account.blob.core.windows.net/extracts/team/../other-team/secret.csv",
        "https://account.blob.core.windows.net/extracts/team/%2E%2E/other-team/secret.csv",
        "https://account.blob.core.windows.net/extracts/Seg/a.csv",
        "https://account.blob.core.windows.net/extracts/teams.csv",
        "../up.csv",
        "../other-team/secret.csv",
        "abfss://extracts@account.dfs.core.windows.net/other-team/secret.csv",
    ],
)
def test_a_file_outside_the_prefix_is_refused_by_name_of_the_model(location: str) -> None:
    with pytest.raises(RunEndError, match=r"team/model\.json") as raised:
        find_extract(with_model(location), "Seg", prefix="team")
    assert raised.value.reason.code == ReasonCode.EXTRACT_OUTSIDE_PREFIX
    assert "EXTRACT_PREFIX" in raised.value.reason.message
    assert "secret" not in raised.value.reason.message


@pytest.mark.parametrize("location", ["file:///other-team/secret.csv", "azure://x/c/team/Seg/a.csv", "https://["])
def test_a_location_of_another_kind_is_refused(location: str) -> None:
    with pytest.raises(RunEndError, match=r"team/model\.json is not a model") as raised:
        find_extract(with_model(location), "Seg", prefix="team")
    assert raised.value.reason.code == ReasonCode.EXTRACT_UNREADABLE


def test_an_earlier_delivery_outside_the_prefix_is_not_read_instead() -> None:
    files = {
        "2026/model.json": {"entities": [a_model("2026/02/28/a.csv")]},
        "2025/12/31/a.csv": "EMail\n",
    }
    with pytest.raises(RunEndError) as raised:
        find_extract(delivered(files), "Seg", prefix="2026")
    assert raised.value.reason.code == ReasonCode.EXTRACT_INCOMPLETE


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.blob.core.windows.net/extracts/team/Seg/a.csv",
        "https://account.blob.core.windows.net/backup/team/Seg/a.csv",
    ],
)
def test_files_that_a_model_means_elsewhere_are_told(location: str) -> None:
    extract = find_extract(with_model(location), "Seg", prefix="team", place=PLACE)
    (told,) = extract.summary().passed_over
    assert "team/model.json" in told.why
    assert PLACE in told.why


@pytest.mark.parametrize(
    ("location", "place"),
    [(INSIDE, PLACE), (INSIDE.replace("blob", "dfs"), PLACE), ("Seg/a.csv", PLACE), (INSIDE, None)],
)
def test_files_that_lie_where_the_model_says_are_told_nothing_of(location: str, place: str | None) -> None:
    assert not find_extract(with_model(location), "Seg", prefix="team", place=place).passed_over


# --- hostile models -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"entities":' + "[" * 100_000,
        '{"entities":[{"name":"Seg","partitions":' + "[" * 100_000 + "]" * 100_000 + "}]}",
        '{"entities":[' + '{"a":' * 100_000,
        "[" * 1_000_000,
        '{"\\\\":"' + '\\"' * 1_000_000 + '",' + '"a":[' * 1_000,
    ],
    ids=["open lists", "closed lists", "open objects", "no object", "behind a text of escapes"],
)
def test_a_model_that_is_deep_is_read_in_no_time(text: str) -> None:
    blobs = delivered({"model.json": text})
    before = time.process_time()
    with pytest.raises(RunEndError, match=r"is not a model\.json"):
        find_extract(blobs, "Seg")
    with pytest.raises(RunEndError, match=r"is not a model\.json"):
        list(list_extracts(blobs))
    assert time.process_time() - before < 2


@pytest.mark.parametrize("document", [[], 5, None, {"entities": 5}, {"entities": {"name": "Seg"}}])
def test_what_has_no_list_of_tables_is_no_model(document: object) -> None:
    with pytest.raises(RunEndError, match=r"is not a model\.json"):
        find_extract(delivered({"model.json": document}), "Seg")


@pytest.mark.parametrize("name", ["\ud800", "a\x00b", "x" * 128, 5, None])
def test_a_table_that_can_be_no_segment_is_not_listed(name: object) -> None:
    blobs = delivered({"model.json": {"entities": [a_model("Seg.csv") | {"name": name}, a_model("Seg.csv")]}})
    blobs.upsert("Seg.csv", b"EMail\n")
    assert [listed.segment for listed in list_extracts(blobs)] == ["Seg"]


@pytest.mark.parametrize("member", ["attributes", "partitions"])
def test_a_text_that_is_none_costs_its_table(member: str) -> None:
    broken = {"attributes": [{"name": "\ud800"}], "partitions": [{"location": "\ud800"}]}[member]
    with pytest.raises(RunEndError, match="a table that is not as it should be"):
        find_extract(delivered({"model.json": {"entities": [a_model("Seg.csv") | {member: broken}]}}), "Seg")


def test_a_model_of_many_tables_is_refused_in_little_time() -> None:
    text = '{"entities":[' + ",".join(f'{{"name":"t{number}"}}' for number in range(500_000)) + "]}"
    before = time.process_time()
    with pytest.raises(RunEndError, match="10,000 tables"):
        find_extract(delivered({"model.json": text}), "Seg")
    assert time.process_time() - before < 2


@pytest.mark.parametrize("member", ["partitions", "attributes"])
def test_a_table_of_many_members_is_refused(member: str) -> None:
    model = {"entities": [{"name": "Seg", member: [{}] * (limits.MODEL_FILES_MAX + 1)}]}
    with pytest.raises(RunEndError) as raised:
        find_extract(delivered({"model.json": model}), "Seg")
    assert raised.value.reason.code == ReasonCode.MODEL_TOO_LARGE


def test_a_large_model_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_json, "MODEL_BYTES_MAX", 10)
    with pytest.raises(RunEndError) as raised:
        find_extract(delivered({"model.json": {"entities": []}}), "Seg")
    assert raised.value.reason.code == ReasonCode.MODEL_TOO_LARGE


def test_a_bad_table_costs_itself_only() -> None:
    tables = [a_model("https://[", name="Bad"), a_model("Seg.csv")]
    blobs = delivered({"model.json": {"entities": tables}, "Seg.csv": "EMail\n"})
    bad, good = list_extracts(blobs)
    assert (bad.segment, bad.extract) == ("Bad", None)
    assert (good.segment, good.problem) == ("Seg", None)


# --- unreadable models in several folders -------------------------------------------------------------------


def test_a_damaged_model_of_one_export_costs_no_segment_of_another() -> None:
    files = {"CustomerInsights_1/A/model.json": "{", "CustomerInsights_2/B/Seg.csv": "EMail\n"}
    (file,) = find_extract(delivered(files), "Seg").files
    assert file.name == "CustomerInsights_2/B/Seg.csv"


def test_a_damaged_model_beside_the_segments_own_files_ends_the_run() -> None:
    files = {
        "CustomerInsights_1/A/model.json": "{",
        "CustomerInsights_1/A/Seg/2026-02-28/1.csv": "EMail\n",
        "CustomerInsights_2/B/Seg.csv": "EMail\n",
    }
    with pytest.raises(RunEndError, match=r"CustomerInsights_1/A/model\.json"):
        find_extract(delivered(files), "Seg")
