"""A Django project that says how it was reached, of which nothing is told about TLS."""

import hashlib

import django
from django.conf import settings

settings.configure(
    DEBUG=False,
    SECRET_KEY='test',
    ALLOWED_HOSTS=['*'],
    ROOT_URLCONF=__name__,
    SECURE_SSL_REDIRECT=True,
    MIDDLEWARE=['django.middleware.security.SecurityMiddleware'],
    DATA_UPLOAD_MAX_MEMORY_SIZE=None,
)
django.setup()

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path


def seen(request):
    return JsonResponse({'secure': request.is_secure(), 'uri': request.build_absolute_uri()})


def digest(request):
    return HttpResponse(hashlib.sha256(request.body).hexdigest())


def big(request):
    return StreamingHttpResponse(b'x' * 65536 for _ in range(int(request.GET['blocks'])))


urlpatterns = [path('', seen), path('digest', digest), path('big', big)]
wsgi = get_wsgi_application()
asgi = get_asgi_application()
