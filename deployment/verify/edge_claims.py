"""The compute utilization of the edge function, which CloudFront throttles when it takes too long.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/test-function.html#compute-utilization
"""

from __future__ import annotations

import json
import secrets
from functools import partial
from typing import TYPE_CHECKING

from claims import Claim, Group, expect

if TYPE_CHECKING:
    from target import Target

MOST = 80  # of 100, at which CloudFront ends the function
NOT_LOCAL = "it has no TestFunction"
# As many options as one URL can sensibly have; together with sig, 20 parameters.
TWENTY = {
    "width": "300", "height": "200", "fit": "cover", "position": "top", "dpr": "1.5", "quality": "70", "format": "auto",
    "blur": "0.5", "sharpen": "1.5", "brightness": "1.1", "contrast": "1.1", "saturation": "0.9", "radius": "10",
    "background": "ffffff", "rotate": "90", "flip": "both", "trim": "10", "watermark": "logo.png",
    "watermark_opacity": "50",
}  # fmt: skip
REQUESTS: dict[str, dict[str, str]] = {
    "plain": {},
    "usual": {"width": "300", "format": "auto"},
    "twenty": TWENTY,
}


def utilization(target: Target, options: dict[str, str]) -> str:
    """Have CloudFront run the function that is live with a request, twice, and read what it took."""
    name = target.resources["ViewerRequest"].rpartition("/")[2]
    etag = target.ask_aws("cloudfront", "describe-function", Name=name, Stage="LIVE")["ETag"]
    parameters = {**options, "sig": "A" * 43} if options else {}
    event = target.work / f"event-{secrets.token_hex(4)}.json"
    event.write_text(json.dumps(viewer_request(parameters)), encoding="utf-8")
    used = []
    for _ in range(2):
        # The event as a file, because AWS CLI 1 and 2 read bytes in a request in different encodings.
        tested = target.ask_aws(
            "cloudfront", "test-function", "--event-object", f"fileb://{event}", Name=name, IfMatch=etag, Stage="LIVE"
        )["TestResult"]
        expect(not tested.get("FunctionErrorMessage"), f"error: {tested.get('FunctionErrorMessage')}")
        used.append(int(tested["ComputeUtilization"]))
    expect(max(used) <= MOST, f"compute utilization {max(used)} of 100, allowed: {MOST}")
    output = json.loads(tested["FunctionOutput"])
    expect("request" in output, f"the function answers itself: {output}")
    return f"compute utilization {' and '.join(map(str, used))} of 100"


def viewer_request(parameters: dict[str, str]) -> dict[str, object]:
    """The event of a GET of these parameters.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html
    """
    request = {
        "method": "GET",
        "uri": "/cats/rio.jpg" if parameters else "/cats/rio.jpg/thumbnail",
        "querystring": {name: {"value": value} for name, value in parameters.items()},
        "headers": {
            "host": {"value": "d111111abcdef8.cloudfront.net"},
            "accept": {"value": "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"},
        },
        "cookies": {},
    }
    return {
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": "192.0.2.1"},
        "request": request,
    }


GROUP = Group(
    "Edge function",
    tuple(
        Claim(
            f"compute-{name}",
            f"The edge function has time to spare for {says}",
            partial(utilization, options=REQUESTS[name]),
            ("cdn",),
            NOT_LOCAL,
        )
        for name, says in {
            "plain": "a request without a query",
            "usual": "width, format=auto and sig",
            "twenty": "20 parameters",
        }.items()
    ),
)
