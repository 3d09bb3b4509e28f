"""Every role and tool, and the policy file."""

import pytest

from tools.access import POLICY, ROLES, Caller, Policy
from tools.registry import all_tools


@pytest.mark.parametrize("role", ROLES)
def test_roles_and_tools_as_the_contract_says(role):
    caller = Caller("x", "X", role)
    for tool in all_tools():
        allowed = POLICY.may_use(caller, tool).allowed
        expected = role != "administrator" and (tool != "run_sql" or role == "expert")
        assert allowed == expected, (role, tool)


def test_a_refusal_says_why():
    assert "administrator" in POLICY.may_use(Caller("ada", "Ada", "administrator"), "query_metrics").reason
    assert "expert" in POLICY.may_use(Caller("sam", "Sam", "supervisor"), "run_sql").reason


def test_operators_see_their_own_certifications_only():
    assert POLICY.own_only(Caller("o", "O", "operator"), "certifications")
    assert not POLICY.own_only(Caller("s", "S", "supervisor"), "certifications")


def test_a_policy_file_changes_a_role_and_names_its_mistakes(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("rank_people: true\ntools: {operator: [explain_alarm]}\n")
    policy = Policy.load(path)
    assert policy.rank_people
    assert not policy.may_use(Caller("o", "O", "operator"), "query_metrics").allowed
    assert policy.may_use(Caller("s", "S", "supervisor"), "query_metrics").allowed
    path.write_text("tools: {boss: []}")
    with pytest.raises(ValueError, match="boss"):
        Policy.load(path)
    path.write_text("rank_poeple: true")
    with pytest.raises(ValueError, match="rank_poeple"):
        Policy.load(path)
