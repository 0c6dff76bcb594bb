"""Reads pushed verdicts with libraries that are not ours: Standard Webhooks' own, and CloudEvents' SDK."""

import base64
import json
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SECRET = "whsec_" + base64.b64encode(b"twenty-four bytes are it").decode()

with open(sys.argv[1], encoding="utf-8") as file:
    arrivals = json.load(file)
for arrival in arrivals:
    headers, body = arrival["headers"], arrival["body"]
    Webhook(SECRET).verify(body, headers)
    try:
        Webhook(SECRET).verify(body.replace('"B"', '"A"'), headers)
    except WebhookVerificationError:
        pass
    else:
        sys.exit("a changed body is verified too")
    event = from_http_event(HTTPMessage(headers=headers, body=body.encode()))
    print(event.get_type(), event.get_source(), event.get_subject(), event.get_data()["label"])
