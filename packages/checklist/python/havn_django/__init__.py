"""Parts of inspect_django.py. The name keeps them apart from modules of the projects that they look at."""
