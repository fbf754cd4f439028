from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0022_approval_tasks"),
    ]

    operations = [
        migrations.AddField(
            model_name="pendingchange",
            name="leaves",
            field=models.BooleanField(default=False, db_default=False),
        ),
    ]
