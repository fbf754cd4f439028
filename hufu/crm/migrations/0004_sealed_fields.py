"""Personal fields go into the vault: sealed columns take the place of readable ones, with what finds their values.

The readable text is overwritten in the same statement that seals it, before its column goes: a dropped column stays
in the rows of the file otherwise.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from hufu.core import vault
from hufu.core.vault import values
from hufu.core.vault.fields import SealedText
from hufu.crm import blind

BATCH = 2000
SEALED = {"customer": ("phone",), "contact": ("phone", "email", "wechat")}


def seal(apps: Any, editor: Any) -> None:
    from hufu.access import registry

    vault.prepare()
    version = vault.sealing_version(vault.FIELD)
    for name, columns in SEALED.items():
        resource = registry.resource_type(name)
        table = resource.table
        listed = ", ".join(f"{column}_clear" for column in columns)
        indexes = ("phone_index", "phone_last_index")
        assigned = ", ".join(
            [f"{column} = new.{column}, {column}_clear = ''" for column in columns]
            + [f"{column} = new.{column}" for column in indexes]
        )
        last = 0
        while True:
            with editor.connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT id, {listed} FROM {table} WHERE id > %s ORDER BY id LIMIT %s", [last, BATCH]
                )
                rows = cursor.fetchall()
                if not rows:
                    break
                last = rows[-1][0]
                arrays: list[list[Any]] = [[row[0] for row in rows]]
                for place, column in enumerate(columns, 1):
                    arrays.append(
                        [
                            values.seal_with(
                                vault.FIELD, version, row[place].encode(), f"{table}.{column}".encode()
                            )
                            if row[place]
                            else b""
                            for row in rows
                        ]
                    )
                found = [blind.index_columns(resource, {"phone": row[1]}) for row in rows]
                arrays += [[each[column] for each in found] for column in indexes]
                types = ", ".join(["%s::bigint[]"] + ["%s::bytea[]"] * (len(arrays) - 1))
                names = ", ".join(("id", *columns, *indexes))
                cursor.execute(
                    f"UPDATE {table} AS r SET {assigned} FROM unnest({types}) AS new ({names}) WHERE r.id = new.id",
                    arrays,
                )


def replaced(model: str, name: str) -> list[Any]:
    return [
        migrations.RenameField(model, name, f"{name}_clear"),
        migrations.AddField(model, name, SealedText(blank=True, default="")),
    ]


def indexed(model: str, column: str, name: str) -> list[Any]:
    return [
        migrations.AddField(model, column, models.BinaryField(null=True)),
        migrations.AddIndex(model, models.Index(fields=[column], name=name)),
    ]


class Migration(migrations.Migration):
    dependencies = [("crm", "0003_consents")]

    operations = [
        *(step for model, names in SEALED.items() for name in names for step in replaced(model, name)),
        migrations.AddField("contact", "id_number", SealedText(blank=True, default="")),
        migrations.AddField("contact", "address", SealedText(blank=True, default="")),
        *indexed("customer", "phone_index", "customer_phone"),
        *indexed("customer", "phone_last_index", "customer_phone_last"),
        *indexed("contact", "phone_index", "contact_phone"),
        *indexed("contact", "phone_last_index", "contact_phone_last"),
        *indexed("contact", "id_number_index", "contact_id_number"),
        migrations.RunPython(seal),
        *(
            migrations.RemoveField(model, f"{name}_clear")
            for model, names in SEALED.items()
            for name in names
        ),
    ]
