from django.db.models import F
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views import generic
from django.views.decorators.http import require_POST

from .models import Question


class IndexView(generic.ListView):
    template_name = "polls/index.html"
    context_object_name = "questions"
    paginate_by = 20

    def get_queryset(self):
        return Question.objects.published().with_votes()


class DetailView(generic.DetailView):
    template_name = "polls/detail.html"

    def get_queryset(self):
        return Question.objects.published()


class ResultsView(generic.DetailView):
    template_name = "polls/results.html"

    def get_queryset(self):
        return Question.objects.published().with_votes()


@require_POST
def vote(request, question_id):
    question = get_object_or_404(Question.objects.published(), pk=question_id)
    choice_id = request.POST.get("choice", "")
    # The database adds: two votes at the same moment both count.
    counted = choice_id.isdecimal() and question.choice_set.filter(pk=choice_id).update(votes=F("votes") + 1)
    if not counted:
        context = {"question": question, "error_message": "Please choose one of the answers."}
        return render(request, "polls/detail.html", context, status=422)
    # After a POST always a redirect, so that a reload does not vote again.
    return HttpResponseRedirect(reverse("polls:results", args=[question.pk]))
