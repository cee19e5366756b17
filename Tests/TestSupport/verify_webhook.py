"""Checks a request as a receiver would that uses the library of Standard Webhooks.

Standard input has one JSON object: the secret, the headers and the body, whose bytes are written as a string of the
characters U+0000 to U+00FF. Standard output says "accepted", or "refused: " and why.
"""
import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

request = json.load(sys.stdin)
try:
    Webhook(request["secret"]).verify(request["body"].encode("latin-1"), request["headers"])
    print("accepted", end="")
except WebhookVerificationError as error:
    print(f"refused: {error}", end="")
