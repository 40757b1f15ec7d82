"""What schemathesis.toml cannot say."""

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    """Some parameters depend on each other as no description can say; generated ones would nearly all be refused."""
    given = case.body if isinstance(case.body, dict) else case.query
    headers, path = case.headers or {}, case.path_parameters or {}
    if case.meta is None:
        return
    if case.meta.phase.name.value == "stateful":
        follow_link(given, headers, path, case.operation.definition.raw["operationId"])
    elif not case.meta.generation.mode.is_positive:
        return
    # What is said twice has to be the same.
    if "token_uid" in given and "uid" in path:
        given["token_uid"] = path["uid"]
    if "nonce" in given and "Idempotency-Key" in headers:
        given["nonce"] = headers["Idempotency-Key"]


def follow_link(given, headers, path, operation):
    """A link says which token or use is meant. What would only be refused beside it is left to the other phases."""
    uid = path.get("uid") or given.get("token_uid")
    if uid and "value" in given and "valid_from" not in given:
        del given["value"]
    if given.get("usage_uid"):
        given.pop("nonce", None)
    for name in ("gate", "at"):
        given.pop(name, None)
    if "valid_from" in given and given.get("valid_to"):
        given["valid_to"] = ""
    if isinstance(given.get("lock_time"), int):
        given["lock_time"] = min(given["lock_time"], 1)
    # One key a token and view, so that there are replays.
    if uid and "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = f"of-{uid}-{operation}"


@schemathesis.check
class every_operation_succeeds:
    """Generated requests that are all refused would prove little: each operation has to succeed at least once."""

    def __init__(self, except_for=()):
        self.except_for = set(except_for)
        self.asked = set()
        self.succeeded = set()

    def after_response(self, ctx, response, case):
        operation = case.operation.definition.raw["operationId"]
        self.asked.add(operation)
        if 200 <= response.status_code < 300:
            self.succeeded.add(operation)

    def after_run(self, ctx):
        never = self.asked - self.succeeded - self.except_for
        assert not never, "never succeeded: " + ", ".join(sorted(never))
