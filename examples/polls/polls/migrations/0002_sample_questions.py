"""Loads the sample questions, so that a fresh site has something to vote on."""

import json
from pathlib import Path

from django.db import migrations
from django.utils.dateparse import parse_datetime

SAMPLES = Path(__file__).resolve().parent.parent / "fixtures" / "sample_questions.json"


def load_samples(apps, schema_editor):
    Question = apps.get_model("polls", "Question")
    Choice = apps.get_model("polls", "Choice")
    if Question.objects.exists():
        return
    # `loaddata` would use today's models, which a later migration may have changed: these are the
    # models as they are at this point. The database numbers the rows, so its sequences stay right.
    questions = {}
    for record in json.loads(SAMPLES.read_text(encoding="utf-8")):
        fields = record["fields"]
        if record["model"] == "polls.question":
            questions[record["pk"]] = Question.objects.create(
                question_text=fields["question_text"], pub_date=parse_datetime(fields["pub_date"])
            )
        else:
            Choice.objects.create(question=questions[fields["question"]], choice_text=fields["choice_text"])


class Migration(migrations.Migration):
    dependencies = [("polls", "0001_initial")]
    operations = [migrations.RunPython(load_samples, migrations.RunPython.noop)]
