"""Verifies webhooks by the library of Standard Webhooks. The argument is a list of messages in JSON, each with a
secret, headers and a body; it prints for each whether its signature verifies."""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def verifies(message):
    try:
        Webhook(message["secret"]).verify(message["body"], message["headers"])
        return True
    except WebhookVerificationError:
        return False


print(json.dumps([verifies(message) for message in json.loads(sys.argv[1])]))
