import json
import shlex
from pathlib import Path

import jwt
import pytest

from local.azure.entra import Entra
from local.serve import CALLERS, USERS, Curl, object_id, roles_guide, write_tokens

KEY = "it's-a-key"


def test_a_get_says_who_calls() -> None:
    words = shlex.split(Curl(f"x-functions-key: {KEY}").get("http://app/api/health"))
    assert words == ["curl", "-sS", "-w", r"\n", "-H", f"x-functions-key: {KEY}", "http://app/api/health"]


@pytest.mark.parametrize("verb", ["put", "post"])
def test_a_body_is_carried_through_the_shell(verb: str) -> None:
    body = {"name": "O'Brien's \"list\""}
    words = shlex.split(getattr(Curl(KEY), verb)("http://app/x", body))
    assert json.loads(words[words.index("-d") + 1]) == body
    assert words[words.index("-X") + 1] == verb.upper()
    assert words[-1] == "http://app/x"


def test_an_address_may_be_left_to_the_shell_to_expand() -> None:
    assert Curl(KEY).get('"$RUN/rejected"').endswith(' "$RUN/rejected"')


def test_each_caller_has_a_token_of_the_role_in_a_file_that_curl_takes_as_a_header(tmp_path: Path) -> None:
    folder = write_tokens(tmp_path, Entra())
    for caller, role in CALLERS.items():
        scheme, _, token = (folder / caller).read_text().strip().removeprefix("Authorization: ").partition(" ")
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (scheme, claims["oid"], claims["roles"]) == ("Bearer", object_id(caller), [role])


def test_callers_are_told_apart() -> None:
    assert len({object_id(caller) for caller in CALLERS}) == len(CALLERS)
    assert set(CALLERS) - set(USERS) == {"administrator", "stranger"}


def test_roles_are_tried_with_the_tokens_that_were_written(tmp_path: Path) -> None:
    folder = write_tokens(tmp_path, Entra())
    used = [shlex.split(line)[5] for line in roles_guide("http://app", folder) if line.startswith("curl")]
    assert {Path(header.removeprefix("@")) for header in used} == {folder / caller for caller in CALLERS}
