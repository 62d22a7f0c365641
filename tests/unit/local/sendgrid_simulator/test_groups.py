import pytest

from tests.support.simulated import START, InMemorySendGrid, Json

GROUPS = "/v3/asm/groups"
ANN, BOB = "ann@example.com", "bob@example.com"
NEWS = {"name": "News", "description": "Weekly"}


def create(sendgrid: InMemorySendGrid, **members: object) -> Json:
    response = sendgrid.api.post(GROUPS, json=NEWS | members)
    assert response.status_code == 201, response.text
    group: Json = response.json()
    return group


@pytest.fixture
def group(sendgrid: InMemorySendGrid) -> str:
    """The path of a group with one member."""
    path = f"{GROUPS}/{create(sendgrid)['id']}"
    sendgrid.api.post(f"{path}/suppressions", json={"recipient_emails": ["Ann@example.com"]})
    return path


def test_a_group_is_shown_as_it_was_made(sendgrid: InMemorySendGrid) -> None:
    created = create(sendgrid, is_default=True)
    assert created == NEWS | {"id": created["id"], "is_default": True}


def test_a_group_counts_its_members(sendgrid: InMemorySendGrid, group: str) -> None:
    assert sendgrid.api.get(group).json()["unsubscribes"] == 1


def test_groups_are_listed_all_or_by_their_ids(sendgrid: InMemorySendGrid) -> None:
    ids = [create(sendgrid, name=name)["id"] for name in ("a", "b", "c")]
    chosen = sendgrid.api.get(f"{GROUPS}?id={ids[0]}&id={ids[2]}").json()
    assert ([each["id"] for each in chosen], len(sendgrid.api.get(GROUPS).json())) == ([ids[0], ids[2]], 3)


def test_a_group_can_be_changed_in_part(sendgrid: InMemorySendGrid, group: str) -> None:
    assert sendgrid.api.patch(group, json={"description": "Monthly"}).status_code == 201
    changed = sendgrid.api.get(group).json()
    assert (changed["name"], changed["description"]) == ("News", "Monthly")


def test_a_deleted_group_is_not_found(sendgrid: InMemorySendGrid, group: str) -> None:
    assert [sendgrid.api.delete(group).status_code, sendgrid.api.get(group).status_code] == [204, 404]


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "x" * 31}, {"description": None}])
def test_a_group_needs_a_name_and_a_description(sendgrid: InMemorySendGrid, wrong: Json) -> None:
    assert sendgrid.api.post(GROUPS, json=NEWS | wrong).status_code == 400


def test_a_name_that_is_taken_is_refused(sendgrid: InMemorySendGrid, group: str) -> None:
    assert sendgrid.api.post(GROUPS, json=NEWS).status_code == 400
    assert sendgrid.api.patch(group, json={"name": "News"}).status_code == 201


def test_members_are_listed_and_found(sendgrid: InMemorySendGrid, group: str) -> None:
    assert sendgrid.api.get(f"{group}/suppressions").json() == [ANN]
    found = sendgrid.api.post(f"{group}/suppressions/search", json={"recipient_emails": [BOB, ANN]}).json()
    assert found == [ANN]


def test_a_member_can_be_let_out(sendgrid: InMemorySendGrid, group: str) -> None:
    assert sendgrid.api.delete(f"{group}/suppressions/{ANN}").status_code == 204
    assert sendgrid.api.get(f"{group}/suppressions").json() == []


def test_members_of_all_groups_are_listed_together(sendgrid: InMemorySendGrid, group: str) -> None:
    expected = {"email": ANN, "group_name": "News", "created_at": int(START)}
    (listed,) = sendgrid.api.get("/v3/asm/suppressions").json()
    assert listed == expected | {"group_id": int(group.rpartition("/")[2])}


def test_an_address_knows_the_groups_it_is_suppressed_in(sendgrid: InMemorySendGrid, group: str) -> None:
    create(sendgrid, name="Sales")
    groups = sendgrid.api.get(f"/v3/asm/suppressions/{ANN}").json()["suppressions"]
    assert group
    assert {each["name"]: each["suppressed"] for each in groups} == {"News": True, "Sales": False}
