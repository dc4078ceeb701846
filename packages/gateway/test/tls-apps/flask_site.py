from flask import Flask, request

application = Flask(__name__)


@application.route('/')
def seen():
    return {'secure': request.is_secure, 'uri': request.url}
