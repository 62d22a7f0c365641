from pathlib import Path

import pytest

from local.options import MadeUpPeople, OptionError, OwnFile, read_authentication, read_options


def test_ten_thousand_rows_are_made_unless_asked_otherwise() -> None:
    assert read_options({}) == read_options({"ROWS": "", "EXTRACT": ""}) == MadeUpPeople(rows=10_000)


@pytest.mark.parametrize("text", ["250000", "250,000", "250_000"])
def test_rows_may_be_written_with_separators(text: str) -> None:
    assert read_options({"ROWS": text}) == MadeUpPeople(rows=250_000)


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", "²"])
def test_a_wrong_number_of_rows_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="is no number of rows"):
        read_options({"ROWS": text})


def test_an_email_variable_of_the_shell_means_nothing_without_an_extract() -> None:
    assert read_options({"EMAIL": "me@example.com"}) == MadeUpPeople()


def test_columns_of_a_users_own_file_are_mapped_by_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.touch()
    columns = {"EMAIL": "E-post", "FIRST_NAME": "Given name", "STATE": "Län", "CITY": ""}
    assert read_options({"EXTRACT": str(path), **columns}) == OwnFile(
        path=path,
        mapping={"email": "E-post", "first_name": "Given name", "state_province_region": "Län"},
    )


def test_a_users_own_file_needs_the_email_column(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="EXTRACT needs EMAIL="):
        read_options({"EXTRACT": str(tmp_path / "mine.csv")})


def test_an_extract_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="is no file"):
        read_options({"EXTRACT": str(tmp_path), "EMAIL": "Email"})


def test_callers_have_keys_unless_entra_is_asked_for() -> None:
    assert read_authentication({}) == read_authentication({"AUTHENTICATION": "keys"}) == "keys"
    assert read_authentication({"AUTHENTICATION": "entra"}) == "entra"


def test_another_way_to_say_who_calls_is_refused() -> None:
    with pytest.raises(OptionError, match="AUTHENTICATION=none is neither keys nor entra"):
        read_authentication({"AUTHENTICATION": "none"})
