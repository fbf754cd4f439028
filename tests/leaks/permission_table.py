"""Every page of the site: what it needs, who gets what answer and who is refused how. A page that is missing fails.

The addresses' numbers are those of 林悦, of her customer 启明, of its opportunity and contact, and of an event of the
log.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One address and method: the permission, somebody who may and the answer, somebody who may not and theirs."""

    name: str
    method: str
    needs: str
    who_may: str | None
    answer: int
    who_may_not: str | None
    refusal: int


VISITOR = None


def of_a_type(name: str, *, without: str, unseen: str) -> list[Row]:
    """The pages of a business type. `without` holds no permission on it, `unseen` does not see the record."""
    return [
        Row(f"{name}_list", "GET", f"{name}.view", "lin", 200, without, 403),
        Row(f"{name}_filters", "GET", f"{name}.view", "lin", 200, without, 403),
        Row(f"{name}_pick", "GET", f"{name}.view", "lin", 200, without, 403),
        Row(f"{name}_new", "GET", f"{name}.create", "lin", 200, "chen", 403),
        Row(f"{name}_new", "POST", f"{name}.create", "lin", 302, "chen", 403),
        Row(f"{name}_record", "GET", f"{name}.view", "lin", 200, unseen, 404),
        Row(f"{name}_drawer", "GET", f"{name}.view", "lin", 200, unseen, 404),
        Row(f"{name}_edit", "GET", f"{name}.edit", "lin", 200, "chen", 403),
        Row(f"{name}_edit", "POST", f"{name}.edit", "lin", 302, "chen", 403),
        Row(f"{name}_edit", "POST", f"{name}.edit", "wang", 302, unseen, 404),
        Row(f"{name}_delete", "POST", f"{name}.delete", "lin", 302, "chen", 403),
        Row(f"{name}_delete", "POST", f"{name}.delete", "lin", 302, unseen, 404),
        # What lies in the bin is there only for those who may restore, or purge it.
        Row(f"{name}_bin", "GET", f"{name}.restore", "lin", 200, "chen", 403),
        Row(f"{name}_restore", "POST", f"{name}.restore", "lin", 302, "chen", 404),
        Row(f"{name}_restore", "POST", f"{name}.restore", "lin", 302, unseen, 404),
        Row(f"{name}_purge", "GET", f"{name}.purge", "wang", 200, "lin", 403),
        Row(
            f"{name}_retention",
            "GET",
            f"{name}.{'erase' if name == 'contact' else 'purge'}",
            "wang",
            200,
            "lin",
            403,
        ),
        Row(f"{name}_purge", "POST", f"{name}.purge", "wang", 302, "lin", 403),
    ]


def of_an_independent_type(name: str, *, without: str, unseen: str, moved: int) -> list[Row]:
    """The pages of a business type whose records have an owner and a team. `moved` answers a move: one that belongs
    to another record moves with that one, and its form says so."""
    return [
        *of_a_type(name, without=without, unseen=unseen),
        Row(f"{name}_owners", "GET", f"{name}.view", "lin", 200, without, 403),
        Row(f"{name}_stage", "POST", f"{name}.edit", "lin", 302, "chen", 403),
        Row(f"{name}_stage", "POST", f"{name}.edit", "wang", 302, unseen, 404),
        Row(f"{name}_transfer", "GET", f"{name}.transfer", "lin", 200, "chen", 403),
        Row(f"{name}_transfer", "POST", f"{name}.transfer", "lin", 302, "chen", 403),
        Row(f"{name}_transfer", "POST", f"{name}.transfer", "wang", 302, unseen, 404),
        Row(f"{name}_move", "GET", f"{name}.move_partition", "li", 200, "lin", 403),
        Row(f"{name}_move", "POST", f"{name}.move_partition", "li", moved, "lin", 403),
        *(
            row
            for deed, back in (("void", "unvoid"), ("lock", "unlock"))
            for row in (
                Row(f"{name}_{deed}", "GET", f"{name}.{deed}", "wang", 200, "lin", 403),
                Row(f"{name}_{deed}", "POST", f"{name}.{deed}", "wang", 302, unseen, 404),
                # It is in no such state: that is a conflict, once the right is there.
                Row(f"{name}_{back}", "POST", f"{name}.{deed}", "wang", 409, "lin", 403),
                Row(f"{name}_{back}", "POST", f"{name}.{deed}", "wang", 409, unseen, 404),
            )
        ),
        Row(f"{name}_team", "GET", f"{name}.view", "lin", 200, unseen, 404),
        Row(f"{name}_team_add", "POST", f"{name}.share", "lin", 302, "chen", 403),
        Row(f"{name}_team_add", "POST", f"{name}.share", "lin", 302, unseen, 404),
        Row(f"{name}_share", "GET", f"{name}.share", "lin", 200, "chen", 403),
        Row(f"{name}_share", "POST", f"{name}.share", "lin", 302, "chen", 403),
        Row(f"{name}_share", "POST", f"{name}.share", "lin", 302, unseen, 404),
        # Whoever got or gave a share ends it; whoever ends another one shares the record.
        Row(f"{name}_share_end", "POST", f"{name}.view", "lin", 302, "chen", 403),
        Row(f"{name}_share_end", "POST", f"{name}.view", "lin", 302, unseen, 404),
        Row(f"{name}_files", "GET", f"{name}.view", "lin", 200, unseen, 404),
        Row(f"{name}_files", "GET", f"{name}.view", "chen", 200, without, 404),
        Row(f"{name}_file_add", "POST", f"{name}.edit", "lin", 302, "chen", 403),
        Row(f"{name}_file_add", "POST", f"{name}.edit", "wang", 302, unseen, 404),
        Row(f"{name}_file_open", "GET", f"{name}.view", "chen", 200, unseen, 404),
        Row(f"{name}_file_open", "GET", f"{name}.view", "lin", 200, without, 404),
        Row(f"{name}_file_remove", "POST", f"{name}.edit", "lin", 302, "chen", 403),
        Row(f"{name}_file_remove", "POST", f"{name}.edit", "wang", 302, unseen, 404),
        # Everybody leaves a team; whoever takes somebody else out shares the record.
        Row(f"{name}_team_remove", "POST", f"{name}.view", "lin", 302, "chen", 403),
        # Whoever may edit it, and whoever explains rights, who sees nothing else of it.
        Row(f"{name}_who", "GET", f"{name}.view", "lin", 200, "chen", 403),
        Row(f"{name}_who", "GET", f"{name}.view", "he", 200, unseen, 404),
    ]


TABLE: list[Row] = [
    Row("home", "GET", "signed in", "qian", 200, VISITOR, 302),
    Row("palette", "GET", "signed in", "qian", 200, VISITOR, 302),
    *of_an_independent_type("customer", without="qian", unseen="zhang", moved=302),
    *of_an_independent_type("opportunity", without="zhou", unseen="zhang", moved=200),
    *of_a_type("contact", without="zhou", unseen="zhang"),
    *(
        Row(f"{name}_reveal", method, f"{name}.reveal", *who)
        for name in ("customer", "contact")
        for method in ("GET", "POST")
        for who in (("wang", 200, "lin", 403), ("wang", 200, "sun", 404))
    ),
    Row("customer_check", "GET", "customer.check_duplicate", "lin", 200, "chen", 403),
    Row("customer_check", "POST", "customer.check_duplicate", "lin", 200, "chen", 403),
    # She never found what she disputes here.
    Row("customer_dispute", "POST", "customer.check_duplicate", "lin", 404, "chen", 403),
    Row("customer_join", "GET", "customer.check_duplicate", "lin", 404, "chen", 403),
    Row("customer_join", "POST", "customer.check_duplicate", "lin", 404, "chen", 403),
    Row("customer_duplicates", "GET", "customer.steward", "li", 200, "lin", 403),
    # There is no such pair, and no such dispute.
    Row("customer_duplicate_decide", "POST", "customer.steward", "li", 404, "lin", 403),
    Row("customer_dispute_answer", "POST", "customer.steward", "li", 404, "lin", 403),
    Row("customer_release", "GET", "customer.transfer", "lin", 200, "chen", 403),
    Row("customer_release", "POST", "customer.transfer", "lin", 302, "chen", 403),
    Row("customer_release", "POST", "customer.transfer", "wang", 302, "zhang", 404),
    # What lies in a pool: 陈静 views it, 林悦 whose department it was of does not.
    Row("customer_claim", "POST", "customer.claim", "li", 302, "chen", 403),
    Row("customer_claim", "POST", "customer.claim", "li", 302, "lin", 404),
    Row("customer_retention", "POST", "customer.purge", "wang", 302, "lin", 403),
    Row("contact_consents", "GET", "contact.view", "lin", 200, "zhang", 404),
    Row("contact_consents", "GET", "contact.view", "chen", 200, "zhou", 404),
    Row("contact_disclose", "GET", "contact.disclose", "wang", 200, "lin", 403),
    Row("contact_disclose", "POST", "contact.disclose", "wang", 200, "lin", 403),
    Row("contact_disclose", "POST", "contact.disclose", "wang", 200, "sun", 404),
    Row("contact_erase", "GET", "contact.erase", "wang", 200, "lin", 403),
    Row("contact_erase", "POST", "contact.erase", "wang", 302, "lin", 403),
    Row("contact_erase", "POST", "contact.erase", "wang", 302, "sun", 404),
    Row("contact_consent_give", "POST", "contact.edit", "lin", 302, "chen", 403),
    Row("contact_consent_give", "POST", "contact.edit", "wang", 302, "zhang", 404),
    Row("contact_consent_withdraw", "POST", "contact.edit", "lin", 302, "chen", 403),
    Row("contact_consent_withdraw", "POST", "contact.edit", "wang", 302, "zhang", 404),
    Row("customer_contact_list", "GET", "customer.view", "lin", 200, "zhang", 404),
    Row("customer_contact_list", "GET", "customer.view", "chen", 200, "zhou", 403),
    Row("customer_opportunity_list", "GET", "customer.view", "lin", 200, "zhou", 403),
    Row("log", "GET", "audit.view", "wu", 200, "he", 403),
    Row("log_entry", "GET", "audit.view", "wu", 200, "li", 403),
    Row("people", "GET", "user.view", "feng", 200, "lin", 403),
    Row("departments", "GET", "user.view", "feng", 200, "wu", 403),
    Row("person", "GET", "user.view", "feng", 200, "lin", 403),
    # Whoever explains rights, those above the person, and they themselves: to others there is no such page.
    *(Row("person_rights", "GET", "signed in", who, 200, "zhang", 404) for who in ("he", "wang", "lin")),
    *(Row("person_rights", "GET", "signed in", "he", 200, who, 404) for who in ("feng", "wu", "tang")),
    Row("access_mine", "GET", "signed in", "qian", 200, VISITOR, 302),
    Row("access_why", "GET", "signed in", "qian", 200, VISITOR, 302),
    *(
        Row(name, "GET", "explain.any", "he", 200, who, 403)
        for name in ("access_who", "access_compare", "access_people")
        for who in ("feng", "wu", "wang")
    ),
    Row("person_reset_second_factors", "POST", "user.manage", "feng", 302, "lin", 403),
    *(
        Row(name, method, "user.manage", "feng", answer, who, 403)
        for name, method, answer in (
            ("person_suspend", "GET", 200),
            ("person_suspend", "POST", 302),
            ("person_reactivate", "GET", 200),
            # She is not suspended: the page says so.
            ("person_reactivate", "POST", 200),
            ("person_sessions_end", "POST", 302),
            # There is no such session.
            ("person_session_end", "POST", 404),
            ("person_link", "GET", 200),
            ("person_link", "POST", 200),
            # There is no such device.
            ("person_device_forget", "POST", 404),
        )
        for who in ("he", "lin")
    ),
    *(Row("person_device_trust_end", "POST", "role.manage", "he", 404, who, 403) for who in ("feng", "lin")),
    Row("my_sessions", "GET", "signed in", "qian", 200, VISITOR, 302),
    Row("my_session_end", "POST", "signed in", "qian", 404, VISITOR, 302),
    Row("my_sessions_end", "POST", "signed in", "qian", 302, VISITOR, 302),
    # Everybody asks for everything; nobody of the table has something to decide.
    *(
        Row(name, method, "signed in", "qian", answer, VISITOR, 302)
        for name in ("customer_ask", "opportunity_ask", "contact_ask", "request_permission")
        for method, answer in (("GET", 200), ("POST", 302))
    ),
    Row("requests", "GET", "signed in", "qian", 200, VISITOR, 302),
    Row("request_answer", "GET", "signed in", "qian", 409, VISITOR, 302),
    Row("request_answer", "POST", "signed in", "qian", 409, VISITOR, 302),
    Row("request_withdraw", "POST", "signed in", "qian", 302, VISITOR, 302),
    Row("request_crossing", "GET", "signed in", "qian", 409, VISITOR, 302),
    Row("request_crossing", "POST", "signed in", "qian", 409, VISITOR, 302),
    Row("request_crossing_end", "POST", "signed in", "qian", 302, VISITOR, 302),
    # Nobody of this company may break a glass.
    Row("break_glass", "GET", "signed in", "qian", 200, VISITOR, 302),
    Row("break_glass", "POST", "signed in", "qian", 200, VISITOR, 302),
    Row("break_glass_end", "POST", "signed in", "qian", 302, VISITOR, 302),
    Row("break_glass_review", "POST", "signed in", "qian", 403, VISITOR, 302),
    Row("my_delegations", "GET", "signed in", "qian", 200, VISITOR, 302),
    Row("my_delegations", "POST", "signed in", "qian", 200, VISITOR, 302),
    # There is none (any more): it has ended.
    Row("my_delegation_end", "POST", "signed in", "qian", 302, VISITOR, 302),
    # She has no second factor: she is asked for one.
    Row("my_device_trust", "POST", "signed in", "qian", 403, VISITOR, 302),
    *(
        Row(name, "POST", "signed in", "qian", 404, VISITOR, 302)
        for name in ("my_device_trust_end", "my_device_confirm", "my_device_forget")
    ),
    Row("roles", "GET", "role.view", "he", 200, "feng", 403),
    Row("roles_given", "GET", "role.view", "he", 200, "li", 403),
    *(
        Row(name, method, "role.assign", "he", answer, who, 403)
        for name, method, answer in (
            ("roles_give", "GET", 200),
            ("roles_give", "POST", 302),
            ("roles_give_people", "GET", 200),
            ("roles_give_preview", "POST", 200),
            ("roles_given_end", "GET", 200),
            ("roles_given_end", "POST", 302),
            ("roles_given_until", "GET", 200),
            ("roles_given_until", "POST", 302),
            # It was given by somebody else, long ago.
            ("roles_given_undo", "POST", 404),
        )
        for who in ("feng", "wu", "wang")
    ),
    *(
        Row(name, method, "role.assign", may, answer, who, 403)
        for name, method, answer in (
            ("pending", "GET", 200),
            # Nothing is chosen: they are led back to the list.
            ("pending_review", "GET", 302),
            ("pending_review", "POST", 302),
        )
        for may, who in (("he", "wu"), ("feng", "wang"))
    ),
    *(
        Row("pending_beforehand", method, "role.manage", "he", 404, who, 403)
        for method in ("GET", "POST")
        for who in ("feng", "wu")
    ),
    Row("role", "GET", "role.view", "he", 200, "feng", 403),
    Row("role", "GET", "role.view", "he", 200, "lin", 403),
    Row("role_grants", "POST", "role.manage", "he", 302, "feng", 403),
    Row("role_grants", "POST", "role.manage", "he", 302, "wu", 403),
    Row("role_fields", "GET", "role.view", "he", 200, "feng", 403),
    Row("role_members", "GET", "role.view", "he", 200, "feng", 403),
    Row("role_history", "GET", "role.view", "he", 200, "wu", 403),
    Row("roles_compare", "GET", "role.view", "he", 200, "feng", 403),
    Row("role_new", "GET", "role.manage", "he", 200, "feng", 403),
    Row("role_new", "POST", "role.manage", "he", 302, "wu", 403),
    Row("role_drafted", "GET", "role.manage", "he", 200, "lin", 403),
    Row("role_drafted_grants", "POST", "role.manage", "he", 302, "feng", 403),
    Row("policy_draft", "GET", "role.manage", "he", 200, "feng", 403),
    # Without a title it is not submitted: the page says so.
    Row("policy_draft", "POST", "role.manage", "he", 200, "wu", 403),
    Row("policy_draft_impact", "GET", "role.manage", "he", 200, "lin", 403),
    Row("policy_draft_undo", "POST", "role.manage", "he", 302, "feng", 403),
    Row("policy_draft_discard", "POST", "role.manage", "he", 302, "lin", 403),
    Row("policy_draft_carry", "POST", "role.manage", "he", 302, "wu", 403),
    Row("policy_version", "GET", "role.view", "he", 200, "feng", 403),
    Row("policy_roll_back", "POST", "role.manage", "he", 302, "lin", 403),
    Row("policy_rebase", "POST", "role.manage", "he", 302, "feng", 403),
    Row("policy_withdraw", "POST", "role.manage", "he", 302, "lin", 403),
    *(
        Row(name, "GET", "role.view", "he", 200, who, 403)
        for name in ("posture", "posture_finding")
        for who in ("feng", "wu")
    ),
    Row("policy", "GET", "role.view", "he", 200, "feng", 403),
    Row("policy_change_set", "GET", "role.view", "he", 200, "li", 403),
    Row("policy_approve", "POST", "policy.approve", "he", 302, "feng", 403),
    Row("policy_reject", "POST", "policy.approve", "he", 302, "lin", 403),
    Row("account_login", "GET", "public", VISITOR, 200, None, 0),
    Row("account_login", "POST", "public", VISITOR, 200, None, 0),
    Row("account_logout", "GET", "public", "lin", 200, None, 0),
    Row("account_logout", "POST", "public", "lin", 302, None, 0),
    # Where no identity provider is configured these pages are not there, for nobody.
    Row("sso_start", "GET", "public", VISITOR, 404, None, 0),
    Row("sso_callback", "GET", "public", VISITOR, 404, None, 0),
    Row("sso_metadata", "GET", "public", VISITOR, 404, None, 0),
    Row("sso_answer", "POST", "public", VISITOR, 404, None, 0),
    Row("sso_arrive", "POST", "public", VISITOR, 404, None, 0),
    # Outside demo mode this page is not there, for nobody.
    Row("demo_sign_in", "POST", "public", VISITOR, 404, None, 0),
    # Nobody has a password in this company: they are led away.
    Row("account_change_password", "GET", "signed in", "lin", 302, VISITOR, 302),
    Row("account_change_password", "POST", "signed in", "lin", 302, VISITOR, 302),
    # 林悦 has no second factor and no password with which she could prove again who she is.
    Row("mfa_index", "GET", "signed in", "lin", 200, VISITOR, 302),
    Row("mfa_activate_totp", "GET", "signed in", "lin", 200, VISITOR, 302),
    Row("mfa_activate_totp", "POST", "signed in", "lin", 200, VISITOR, 302),
    Row("mfa_deactivate_totp", "GET", "signed in", "lin", 404, VISITOR, 302),
    Row("mfa_deactivate_totp", "POST", "signed in", "lin", 404, VISITOR, 302),
    Row("mfa_view_recovery_codes", "GET", "signed in", "lin", 404, VISITOR, 302),
    Row("mfa_generate_recovery_codes", "GET", "signed in", "lin", 200, VISITOR, 302),
    Row("mfa_generate_recovery_codes", "POST", "signed in", "lin", 200, VISITOR, 302),
    Row("account_reauthenticate", "GET", "signed in", "lin", 403, VISITOR, 302),
    Row("account_reauthenticate", "POST", "signed in", "lin", 403, VISITOR, 302),
    Row("mfa_reauthenticate", "GET", "signed in", "lin", 302, VISITOR, 302),
    Row("mfa_reauthenticate", "POST", "signed in", "lin", 302, VISITOR, 302),
    Row("step_up", "POST", "signed in", "lin", 302, VISITOR, 302),
    Row("mfa_add_webauthn", "GET", "signed in", "lin", 200, VISITOR, 302),
    Row("mfa_add_webauthn", "POST", "signed in", "lin", 200, VISITOR, 302),
    *(
        Row(name, method, "signed in", "lin", 404, VISITOR, 302)
        for name in ("mfa_edit_webauthn", "mfa_remove_webauthn")
        for method in ("GET", "POST")
    ),
    # Nobody whose password was right is on the way in: back to the beginning.
    Row("mfa_authenticate", "GET", "public", VISITOR, 302, None, 0),
    Row("mfa_authenticate", "POST", "public", VISITOR, 302, None, 0),
    # A company that stands was set up, or never needs to be: these pages are there for nobody. tests/web/test_setup.py
    # has the company that nobody set up yet.
    *(
        Row(name, method, "public", who, 404, None, 0)
        for name in ("setup", "setup_company", "setup_people")
        for method in ("GET", "POST")
        for who in (VISITOR, "feng")
    ),
    # A link that was never sent says so.
    Row("account_reset_password_from_key", "GET", "public", VISITOR, 200, None, 0),
    Row("account_reset_password_from_key", "POST", "public", VISITOR, 200, None, 0),
]
