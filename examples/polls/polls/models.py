import datetime

from django.contrib import admin
from django.db import models
from django.urls import reverse
from django.utils import timezone


class QuestionQuerySet(models.QuerySet):
    def published(self):
        """Questions whose date has come and that can be answered, newest first."""
        answers = Choice.objects.filter(question=models.OuterRef("pk"))
        return self.filter(models.Exists(answers), pub_date__lte=timezone.now()).order_by("-pub_date", "-pk")

    def with_votes(self):
        return self.annotate(total_votes=models.Sum("choice__votes", default=0))


class Question(models.Model):
    question_text = models.CharField(max_length=200)
    pub_date = models.DateTimeField("date published", db_index=True)

    objects = QuestionQuerySet.as_manager()

    def __str__(self):
        return self.question_text

    def get_absolute_url(self):
        return reverse("polls:detail", args=[self.pk])

    @admin.display(boolean=True, ordering="pub_date", description="Published recently?")
    def was_published_recently(self):
        now = timezone.now()
        return now - datetime.timedelta(days=1) <= self.pub_date <= now


class Choice(models.Model):
    question = models.ForeignKey(Question, on_delete=models.CASCADE)
    choice_text = models.CharField(max_length=200)
    votes = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return self.choice_text
