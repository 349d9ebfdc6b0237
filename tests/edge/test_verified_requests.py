"""The requests by which verify.sh measures the deployed function's compute utilization are ones that it rewrites."""

import sys

import pytest

from .engines import PROJECT, Node

sys.path[:0] = [str(PROJECT / "deployment" / "verify"), str(PROJECT / "deployment" / "operations")]

import edge_claims  # noqa: E402 - by the path above


@pytest.mark.parametrize("name", edge_claims.REQUESTS)
def test_a_request_that_is_measured_is_rewritten(name: str) -> None:
    options = edge_claims.REQUESTS[name]
    node = Node()
    try:
        event = edge_claims.viewer_request({**options, "sig": "A" * 43} if options else {})
        event["context"] = {"eventType": "viewer-request", "requestId": ""}
        answer = node.run(event)
    finally:
        node.close()

    assert (answer.error, answer.path.startswith("/cats/rio.jpg/")) == (None, True)


def test_the_longest_one_has_twenty_parameters() -> None:
    assert len(edge_claims.TWENTY) == 19  # and sig
