"""What schemathesis has to know of the service beside its description. TOCSIN_URL and TOCSIN_KEY say where it is."""

import json
import os
import re

import requests
import schemathesis

API = os.environ["TOCSIN_URL"] + "/api/v1/alerts/"
KEY = {"Authorization": f"Bearer {os.environ['TOCSIN_KEY']}"}

# Nobody answers there, and deliveries may not go there: what is generated reaches nobody.
NOBODY = "127.0.0.1"
HOST = r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}|\[[0-9A-Fa-f:.]+\])"
HOST_OF_URL = re.compile(f"(?i)(?<=http://|ttps://){HOST}(?=[:/?#]|$)")
RECEIVERS = {"url": HOST_OF_URL, "webhook_url": HOST_OF_URL, "smtp_host": re.compile(f"^{HOST}$")}


def answer(method, path, document=None):
    response = requests.request(method, API + path, headers=KEY, json=document, timeout=30)
    response.raise_for_status()
    return response.json()


def raise_alert():
    """An alert and its delivery, for the server makes up their ids, which nobody could guess."""
    config = {"url": f"http://{NOBODY}:9/"}
    provider = answer("POST", "providers", {"name": "Nobody", "provider_type": "webhook", "config": config})
    rule = {"field": "seed", "operator": "eq", "value": provider["provider_id"]}
    templates = {"message_template": "{seed}", "summary_template": "{seed}"}
    document = {"name": "Seed", "rules": [rule], **templates, "providers": [provider["provider_id"]]}
    policy = answer("POST", "policies", document)["policy_id"]
    raised = answer("POST", "process-event", {"seed": provider["provider_id"]})["triggered_alerts"]
    alert = next(each["alert_id"] for each in raised if each["policy_id"] == policy)
    delivery = answer("GET", f"deliveries?alert_id={alert}")["deliveries"][0]["delivery_id"]
    return {"alert_id": alert, "delivery_id": delivery}, provider["created_by"]


KNOWN, OWN_KEY = raise_alert()


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every other id that the server makes up is one that exists."""
    for name, value in (path_parameters or {}).items():
        if name in KNOWN and len(str(value)) % 2 == 0:
            path_parameters[name] = KNOWN[name]
    return path_parameters


@schemathesis.hook
def before_call(context, case, kwargs):
    """The key that all is called with is not to be replaced on the way."""
    if (case.path_parameters or {}).get("key_id") == OWN_KEY:
        case.path_parameters["key_id"] = "own"


@schemathesis.hook
def map_body(context, body):
    """The host of a receiver becomes one that nobody is at; what is no receiver stays as it is."""
    config = body.get("config") if isinstance(body, dict) else None
    if isinstance(config, dict):
        for member, host in RECEIVERS.items():
            if isinstance(config.get(member), str) and len(config[member]) <= 2048:
                config[member] = host.sub(NOBODY, config[member], count=1)
    return body


@schemathesis.serializer("application/x-ndjson", "application/ndjson", "application/jsonl")
def lines(context, value):
    return (value if isinstance(value, str) else json.dumps(value)).encode(errors="replace")
