from collections.abc import Iterator

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from hufu.core import transaction
from hufu.core.health import Finding


class AccessConfig(AppConfig):
    name = "hufu.access"
    verbose_name = _("Access")

    def ready(self) -> None:
        from hufu.access import emergency_models, events, gates, lookups, lost_rights, resources  # noqa: F401

        transaction.on_entering(gates.evaluate)
        transaction.on_database_refusal(lost_rights.refusal)

    def doctor_checks(self) -> Iterator[Finding]:
        from hufu.access.doctor import (
            check_administrators,
            check_approvers,
            check_duties,
            check_emergencies,
            check_glass,
            check_partition_owners,
            check_reporting,
        )

        yield from check_administrators()
        yield from check_duties()
        yield from check_emergencies()
        yield from check_glass()
        yield from check_approvers()
        yield from check_partition_owners()
        yield from check_reporting()

    def deep_checks(self, *, repair: bool) -> Iterator[Finding]:
        from hufu.access.doctor import check_drift

        yield from check_drift(repair=repair)

    def install_sql(self) -> Iterator[tuple[str, str]]:
        from hufu.access import rule_sql
        from hufu.access.company import business_sql
        from hufu.access.delegations import delegable_sql
        from hufu.access.models import POLICY_COLUMNS, SHARE_COLUMNS, TEAM_COLUMNS
        from hufu.access.task_models import TASK_COLUMNS
        from hufu.core.schema import history_sql, record_history_sql, sql_file

        yield "access.changes", sql_file("hufu.access", "changes")
        for table, columns in POLICY_COLUMNS.items():
            yield f"access.history.{table}", history_sql(table, columns)
        of_record = (("type", "text"), ("record_id", "bigint"))
        kept = {
            "access_team_member": TEAM_COLUMNS,
            "access_share": SHARE_COLUMNS,
            "access_task": TASK_COLUMNS,
        }
        for table, columns in kept.items():
            yield f"access.history.{table}", record_history_sql(table, columns, asked_by=of_record)
        yield "access.delegable", delegable_sql()
        yield "access.delegated_reach", sql_file("hufu.access", "delegated_reach")
        yield "access.break_glass_reach", sql_file("hufu.access", "break_glass_reach")
        yield "access.reach", sql_file("hufu.access", "reach")
        yield "access.build_reach", sql_file("hufu.access", "build_reach")
        yield "access.pool_reach", sql_file("hufu.access", "pool_reach")
        yield "access.quotas", sql_file("hufu.access", "quotas")
        yield "access.rule_fields", rule_sql.fields()
        yield "access.sharing", sql_file("hufu.access", "sharing")
        yield "access.gates", sql_file("hufu.access", "gates")
        yield "access.change_sets", sql_file("hufu.access", "change_sets")
        yield "access.drafts", sql_file("hufu.access", "drafts")
        yield "access.prohibitions", sql_file("hufu.access", "prohibitions")
        yield "access.rules", sql_file("hufu.access", "rules")
        yield "access.duplicate_facts", sql_file("hufu.access", "duplicate_facts")
        yield "access.pools", sql_file("hufu.access", "pools")
        yield "access.delegations", sql_file("hufu.access", "delegations")
        yield "access.business", business_sql()
        yield "access.company", sql_file("hufu.access", "company")
        yield "access.duties", sql_file("hufu.access", "duties")
        yield "access.pending", sql_file("hufu.access", "pending")
        yield "access.delegated", sql_file("hufu.access", "delegated")
        yield "access.emergency", sql_file("hufu.access", "emergency")
        yield "access.reporting", sql_file("hufu.access", "reporting")
        yield "access.requests", sql_file("hufu.access", "requests")
        yield "access.team_rights", sql_file("hufu.access", "team_rights")
        yield "access.crossing", sql_file("hufu.access", "crossing")
        yield "access.break_glass", sql_file("hufu.access", "break_glass")
