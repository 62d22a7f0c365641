import json
import shlex

from local.serve import Curl

KEY = "it's-a-key"


def test_a_get_sends_the_function_key() -> None:
    words = shlex.split(Curl(KEY).get("http://app/api/health"))
    assert words == ["curl", "-sS", "-w", r"\n", "-H", f"x-functions-key: {KEY}", "http://app/api/health"]


def test_a_put_carries_its_body_through_the_shell() -> None:
    body = {"name": "O'Brien's \"list\""}
    words = shlex.split(Curl(KEY).put("http://app/x", body))
    assert json.loads(words[words.index("-d") + 1]) == body
    assert words[-1] == "http://app/x"


def test_an_address_may_be_left_to_the_shell_to_expand() -> None:
    assert Curl(KEY).get('"$RUN/rejected"').endswith(' "$RUN/rejected"')
