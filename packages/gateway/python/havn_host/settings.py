"""The one variable that the gateway starts a host with."""

import json
import os

VARIABLE = 'HAVN_HOST'


class Settings:
    """HAVN_HOST, parsed. Sizes are bytes, times milliseconds."""

    def __init__(self, values):
        self.protocol = values['protocol']
        self.socket = values['socket']
        self.worker = values.get('worker', 0)
        self.instance = values.get('instance', self.worker)
        self.interface = values['interface']
        self.target = values['target']
        self.directory = values['directory']
        self.threads = max(1, values.get('threads', 1))
        self.scoreboard = values.get('scoreboard')
        self.body_window = values.get('bodyWindow', 262144)
        self.response_window = values.get('responseWindow', 262144)
        self.lifespan = values.get('lifespan', 'auto')
        self.drain_ms = values.get('drainMs', 0)
        self.deadlines = values.get('deadlines', False)
        self.stacks = values.get('stacks')


def read_settings():
    """Takes the variable out of the environment, so that the app's children do not see it."""
    text = os.environ.pop(VARIABLE, None)
    if text is None:
        raise SystemExit('havn host: %s is not set; the gateway starts this program.' % VARIABLE)
    settings = Settings(json.loads(text))
    if settings.protocol != 1:
        raise SystemExit('havn host: protocol %r is not spoken here, only 1.' % settings.protocol)
    return settings
