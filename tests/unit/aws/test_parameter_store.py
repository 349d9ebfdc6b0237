"""Parameter Store: a parameter is read until it exists, and cached from then on."""

import pytest

from image_processor.aws.parameter_store import Parameter
from image_processor.errors import Unavailable

from ..fakes import client_error


class FakeParameters:
    def __init__(self) -> None:
        self.value: str | None = None
        self.reads = 0
        self.failure = client_error("ParameterNotFound")

    def get_parameter(self, *, Name):  # noqa: N803 - AWS's name
        assert Name == "/stack/distribution"
        self.reads += 1
        if self.value is None:
            raise self.failure
        return {"Parameter": {"Value": self.value}}


def test_a_parameter_is_read_until_it_exists_and_then_cached():
    parameters = FakeParameters()
    read = Parameter(lambda: parameters, "/stack/distribution").value

    assert read() is None  # the stack is still being created
    parameters.value = "E2EXAMPLE"
    assert [read(), read()] == ["E2EXAMPLE", "E2EXAMPLE"]
    assert parameters.reads == 2


def test_denied_access_to_a_parameter_raises_unavailable():
    parameters = FakeParameters()
    parameters.failure = client_error("AccessDeniedException")

    with pytest.raises(Unavailable):
        Parameter(lambda: parameters, "/stack/distribution").value()
