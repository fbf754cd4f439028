"""That somebody confirmed a browser stays known; the second factors that stand today prove their person."""

from django.db import migrations, models

SINCE = """
UPDATE people_user u SET device_confirmed_at = d.since
FROM (SELECT user_id, min(confirmed_at) AS since FROM people_device WHERE confirmed_at IS NOT NULL GROUP BY user_id) d
WHERE d.user_id = u.id
"""
FACTORS = """
UPDATE mfa_authenticator SET data = data || '{"vouches": true}'::jsonb WHERE type IN ('totp', 'webauthn')
"""


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0005_devices"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="device_confirmed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL([SINCE, FACTORS], migrations.RunSQL.noop),
    ]
