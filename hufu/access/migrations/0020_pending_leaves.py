from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0019_duplicate_facts"),
    ]

    operations = [
        migrations.AddField(
            model_name="pendingchange",
            name="leaves",
            field=models.BooleanField(default=False, db_default=False),
        ),
    ]
