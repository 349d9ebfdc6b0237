"""Events as AWS documents them, with the keys and bodies of a test, and the handler that receives them."""

import json
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

from image_processor import app

from .buckets import UPLOADS

EVENTS = Path(__file__).parents[1] / "events"
CONTEXT = SimpleNamespace(aws_request_id="11111111-2222-3333-4444-555555555555")


def recorded(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / name).read_text())
    return event


def notification(*keys: str, bucket: str = UPLOADS) -> dict[str, Any]:
    event = recorded("s3-put.json")
    event["Records"] = [deepcopy(event["Records"][0]) for _ in keys]
    for record, key in zip(event["Records"], keys, strict=True):
        record["s3"]["bucket"]["name"] = bucket
        record["s3"]["object"]["key"] = quote_plus(key, safe="/")
    return event


def messages(*bodies: object) -> dict[str, Any]:
    event = recorded("sqs.json")
    event["Records"] = [
        {
            **event["Records"][0],
            "messageId": f"message-{number}",
            "body": body if isinstance(body, str) else json.dumps(body),
        }
        for number, body in enumerate(bodies)
    ]
    return event


def api_request(body: object, **changes: Any) -> dict[str, Any]:
    return {**recorded("api-post-images.json"), "body": body if isinstance(body, str) else json.dumps(body), **changes}


def context(seconds: float) -> SimpleNamespace:
    """Return Lambda's context of a function that has this much time left."""
    return SimpleNamespace(
        aws_request_id=CONTEXT.aws_request_id, get_remaining_time_in_millis=lambda: round(seconds * 1000)
    )


def invoke(event: dict[str, Any]) -> Any:
    return app.lambda_handler(event, CONTEXT)


def post(body: object, **changes: Any) -> tuple[int, dict[str, Any]]:
    """Return status and body of the answer to POST /images."""
    answer = invoke(api_request(body, **changes))
    return answer["statusCode"], json.loads(answer["body"])
