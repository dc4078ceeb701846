import os

print('the last words', flush=True)
os._exit(7)
