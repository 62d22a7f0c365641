from __future__ import annotations

import pytest

from shared.errors import RunEndError
from tests.corpus.corpus import Case, cases

CASES = cases()
HEADER = "segment,file,row,customer_id,column,reason\n"


@pytest.fixture(params=[pytest.param(case, id=case.name) for case in CASES])
def case(request: pytest.FixtureRequest) -> Case:
    case: Case = request.param
    return case


def test_an_extract_gives_what_its_case_expects(case: Case) -> None:
    if "fails" in case.expected:
        with pytest.raises(RunEndError) as end:
            case.plan()
        assert end.value.reason.code == case.expected["fails"]
        for phrase in case.expected.get("says", []):
            assert phrase in end.value.reason.message
        return
    outcome, sink = case.plan()
    assert sink.lines.decode() == case.expected.get("contacts", "")
    assert sink.rejected.decode().removeprefix(HEADER) == case.expected.get("rejected", "")
    counts = outcome.counts.model_dump()
    assert {name: counts[name] for name in case.expected["counts"]} == case.expected["counts"]
    assert outcome.counts.adds_up
    assert outcome.counts.sent == sum(info.contacts for info in outcome.chunks) == sink.lines.count(b"\n")


def test_a_preview_of_all_rows_gives_the_same(case: Case) -> None:
    if "fails" in case.expected:
        with pytest.raises(RunEndError):
            case.plan(rows=1000)
        return
    outcome, sink = case.plan()
    assert case.plan(rows=1000) == (outcome, sink)


def test_there_are_at_least_sixty_cases() -> None:
    assert len(CASES) >= 60
