"""Sends every example of the description, so ordered that each finds what it needs: first what creates, then what shows,
changes, does something with it and, from the end of the description to its beginning, deletes. Tells those that are answered
otherwise than described, or in another way than by success.

    examples.py URL DESCRIPTION <KEY
    examples.py URL DESCRIPTION away <KEY

While the database is away, events are kept (202), and all else is 503.
"""

import sys

import schemathesis

# NDJSON is sent as it stands.
schemathesis.serializer("application/x-ndjson", "application/ndjson", "application/jsonl")(
    lambda context, value: value.encode()
)

# The lists by which ids are known that the server made up.
LISTS = {"alerts": "alert_id", "deliveries": "delivery_id", "keys": "key_id"}

# By whom a call is made cannot be told while the database is away.
AWAY = [schemathesis.checks.not_a_server_error, schemathesis.checks.ignored_auth]

TURNS = ["create", "get", "put", "post", "delete"]


def bodies(operation):
    """Each example of a body with its media type."""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        for example in content.get("examples", {"": {"value": content.get("example")}}).values():
            yield media, example["value"]


def calls(paths):
    """Method, path, media type and body of each call, in order."""
    found = []
    for place, (path, item) in enumerate(paths.items()):
        for method in item.keys() - {"parameters"}:
            turn = TURNS.index("create" if method == "post" and "{" not in path else method)
            order = -place if method == "delete" else place
            found += [(turn, order, method, path, *body) for body in list(bodies(item[method])) or [(None, None)]]
    return [call[2:] for call in sorted(found, key=lambda call: call[:2])]


class Examples:
    def __init__(self, url, description, key, is_away):
        self.schema = schemathesis.openapi.from_path(description)
        self.url = url
        self.headers = {"Authorization": f"Bearer {key}"}
        self.is_away = is_away
        # Ids that the server made up; nobody is told any while the database is away.
        self.known = {name: "unknown" for name in LISTS.values()} if is_away else {}

    def fault(self, method, path, media, body):
        """Why the answer is not as described; None if it is."""
        operation = self.schema[path][method.upper()]
        ids = {each.name: each.definition.get("example") or self.known[each.name] for each in operation.path_parameters}
        content = {"body": body, "media_type": media} if media else {}
        case = operation.Case(path_parameters=ids, **content)
        response = case.call(base_url=self.url, headers=self.headers)
        try:
            case.validate_response(response, excluded_checks=AWAY if self.is_away else [])
        except BaseExceptionGroup as faults:
            return "; ".join(str(each) for each in faults.exceptions)
        except AssertionError as fault:
            return str(fault)
        self.learn(response)
        is_expected = response.status_code in (202, 503) if self.is_away else response.status_code < 300
        return None if is_expected else f"{response.status_code} {response.text}"

    def learn(self, response):
        if not response.content or response.status_code != 200:
            return
        document = response.json()
        for plural, member in LISTS.items():
            for record in document.get(plural, []):
                self.known[member] = record[member]


def main(url, description, away=None):
    examples = Examples(url, description, sys.stdin.read().strip(), away == "away")
    sent = faults = 0
    for call in calls(examples.schema.raw_schema["paths"]):
        sent += 1
        fault = examples.fault(*call)
        if fault:
            faults += 1
            print(f"{call[0].upper()} {call[1]}: {fault}")
    print(f"{sent} sent, {faults} answered otherwise")
    return 0 if sent and not faults else 1


sys.exit(main(*sys.argv[1:]))
