import datetime

from django.contrib.auth import get_user_model
from django.test import Client, TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from .models import Question

# The manifest of hashed names exists only after collectstatic, which tests do without.
plain_static_files = override_settings(
    STORAGES={
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
)


def create_question(text, days=0, choices=("Yes", "No")):
    """`days` is an offset from now: negative for the past."""
    pub_date = timezone.now() + datetime.timedelta(days=days)
    question = Question.objects.create(question_text=text, pub_date=pub_date)
    for choice in choices:
        question.choice_set.create(choice_text=choice)
    return question


class QuestionModelTests(TestCase):
    def test_was_published_recently(self):
        now = timezone.now()
        for offset, expected in (
            (datetime.timedelta(days=30), False),
            (datetime.timedelta(hours=-1), True),
            (datetime.timedelta(days=-1, seconds=-1), False),
        ):
            with self.subTest(offset=offset):
                question = Question(pub_date=now + offset)
                self.assertIs(question.was_published_recently(), expected)


@plain_static_files
class IndexViewTests(TestCase):
    def test_a_fresh_site_lists_the_samples(self):
        response = self.client.get(reverse("polls:index"))
        self.assertContains(response, "Tabs or spaces?")
        self.assertEqual(len(response.context["questions"]), 4)

    def test_no_questions(self):
        Question.objects.all().delete()
        self.assertContains(self.client.get(reverse("polls:index")), "No polls are available.")

    def test_future_and_unanswerable_questions_are_hidden(self):
        Question.objects.all().delete()
        create_question("Tomorrow?", days=1)
        create_question("Empty?", days=-1, choices=())
        shown = create_question("Today?", days=-1)
        response = self.client.get(reverse("polls:index"))
        self.assertQuerySetEqual(response.context["questions"], [shown])

    def test_totals_count_each_vote_once(self):
        Question.objects.all().delete()
        question = create_question("Counted?", days=-1, choices=("a", "b", "c"))
        question.choice_set.update(votes=2)
        self.assertContains(self.client.get(reverse("polls:index")), "6 votes")

    def test_root_leads_to_the_polls(self):
        self.assertRedirects(self.client.get("/"), reverse("polls:index"))


@plain_static_files
class DetailAndResultsTests(TestCase):
    def test_future_question_is_not_found(self):
        question = create_question("Tomorrow?", days=5)
        for name in ("polls:detail", "polls:results"):
            response = self.client.get(reverse(name, args=[question.pk]))
            self.assertContains(response, "Nothing moored here", status_code=404)

    def test_past_question_is_shown(self):
        question = create_question("Yesterday?", days=-1)
        self.assertContains(self.client.get(question.get_absolute_url()), "Yesterday?")
        self.assertContains(self.client.get(reverse("polls:results", args=[question.pk])), "0 votes")


@plain_static_files
class VoteTests(TestCase):
    def setUp(self):
        self.question = create_question("Vote?", days=-1)
        self.choice = self.question.choice_set.first()
        self.url = reverse("polls:vote", args=[self.question.pk])

    def test_a_vote_is_counted_and_redirects(self):
        response = self.client.post(self.url, {"choice": self.choice.pk})
        self.assertRedirects(response, reverse("polls:results", args=[self.question.pk]))
        self.choice.refresh_from_db()
        self.assertEqual(self.choice.votes, 1)

    def test_without_a_choice_the_form_comes_back(self):
        other = create_question("Other?", days=-1).choice_set.first()
        for value in ({}, {"choice": "x"}, {"choice": ""}, {"choice": other.pk}):
            with self.subTest(value=value):
                response = self.client.post(self.url, value)
                self.assertContains(response, "Please choose one of the answers.", status_code=422)

    def test_get_is_refused(self):
        self.assertEqual(self.client.get(self.url).status_code, 405)

    def test_a_post_without_the_csrf_token_is_refused(self):
        strict = Client(enforce_csrf_checks=True)
        self.assertEqual(strict.post(self.url, {"choice": self.choice.pk}).status_code, 403)
        strict.get(self.question.get_absolute_url())
        token = strict.cookies["csrftoken"].value
        accepted = strict.post(self.url, {"choice": self.choice.pk, "csrfmiddlewaretoken": token})
        self.assertEqual(accepted.status_code, 302)


@plain_static_files
class AdminAndHealthTests(TestCase):
    def test_health(self):
        response = self.client.get("/healthz")
        self.assertEqual((response.status_code, response.json()), (200, {"status": "ok"}))

    def test_admin_edits_a_question_with_its_choices(self):
        user = get_user_model().objects.create_superuser("admin", password="only-in-this-test")
        self.client.force_login(user)
        question = create_question("In the admin?", days=-1)
        response = self.client.get(reverse("admin:polls_question_change", args=[question.pk]))
        self.assertContains(response, "choice_set-0-choice_text")
