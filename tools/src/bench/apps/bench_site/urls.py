import time

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

CHUNK = b"x" * 65536


def hello(request):
    return HttpResponse("Hello, world. You're at the polls index.")


def slow(request):
    time.sleep(0.05)
    return HttpResponse("slow")


def stream(request):
    return StreamingHttpResponse((CHUNK for _ in range(16)), content_type="application/octet-stream")


@csrf_exempt
def upload(request):
    return HttpResponse(str(len(request.body)))


urlpatterns = [path("hello", hello), path("slow", slow), path("stream", stream), path("upload", upload)]
