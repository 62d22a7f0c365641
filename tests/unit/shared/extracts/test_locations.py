from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.extracts.locations import LOCATION_MAX, Location, LocationError, read_location

HOST = "https://Account.blob.core.windows.net"


@pytest.mark.parametrize(
    ("location", "name", "place"),
    [
        (f"{HOST}/Extracts/team/Seg/a.csv", "team/Seg/a.csv", "account/extracts"),
        (f"{HOST}/extracts/My%20Seg/a.csv?sv=1&sig=x", "My Seg/a.csv", "account/extracts"),
        (f"{HOST}/extracts/team/./x/../Seg/a.csv", "team/Seg/a.csv", "account/extracts"),
        ("https://account.dfs.core.windows.net/extracts/a.csv", "a.csv", "account/extracts"),
        ("abfss://extracts@account.dfs.core.windows.net/Seg/a.csv", "Seg/a.csv", "account/extracts"),
        ("wasbs://extracts@account.blob.core.windows.net/Seg/a.csv", "Seg/a.csv", "account/extracts"),
        ("http://127.0.0.1:10000/account/extracts/Seg/a.csv", "Seg/a.csv", "account/extracts"),
        ("http://azurite:10000/account/extracts/Seg/a.csv", "Seg/a.csv", "account/extracts"),
        ("Seg/a.csv", "team/Seg/a.csv", None),
        ("team/Seg/a.csv", "team/Seg/a.csv", None),
        ("/team/Seg/a.csv", "team/Seg/a.csv", None),
        ("../up.csv", "up.csv", None),
        ("a//b.csv", "team/a//b.csv", None),
        ("a..b/c...csv", "team/a..b/c...csv", None),
    ],
)
def test_a_location_is_the_name_of_a_blob(location: str, name: str, place: str | None) -> None:
    assert read_location(location, "team") == Location(name=name, place=place)


@pytest.mark.parametrize(
    "location",
    [
        "https://[",
        "https://[::1/extracts/a.csv",
        "file:///team/secret.csv",
        "azure://x/c/team/secret.csv",
        "s3://bucket/team/secret.csv",
        "//host/extracts/team/a.csv",
        "https://user:pw@account.blob.core.windows.net/extracts/team/a.csv",
        f"{HOST}/extracts/../../up.csv",
        f"{HOST}/extracts/team/%2e%2e/%2e%2e/up.csv",
        f"{HOST}/extracts/",
        f"{HOST}/extracts",
        "../../up.csv",
        "..",
        "team\\..\\..\\up.csv",
        "a%5C..%5Cup.csv",
        "a\n.csv",
        "a%00.csv",
        "x" * (LOCATION_MAX + 1),
    ],
)
def test_what_names_no_file_of_the_container_is_refused(location: str) -> None:
    with pytest.raises(LocationError):
        read_location(location, "team")


@pytest.mark.parametrize("location", ["", ".", "..", "x/.."])
def test_a_folder_is_no_file(location: str) -> None:
    with pytest.raises(LocationError):
        read_location(location, "")


@given(
    location=st.text(max_size=60)
    | st.builds(
        "".join,
        st.lists(
            st.sampled_from(
                ["https:", "file:", "//", "/", "..", ".", "%2e", "%2F", "team", "a.csv", "@", "[", "?", "#", "%"]
            ),
            max_size=12,
        ),
    )
)
def test_any_location_is_a_name_without_dots_as_steps_or_is_refused(location: str) -> None:
    try:
        name = read_location(location, "team").name
    except LocationError:
        return
    assert name
    assert not {".", ".."} & set(name.split("/"))
