"""A value in AWS Systems Manager Parameter Store."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from image_processor.aws.clients import error_code, translated_errors


class Parameter:
    """A parameter that is read when it is first needed, and stored from then on.

    The distribution's id comes from here and not from the environment, because the distribution refers to the
    function, and CloudFormation allows no circular dependency.
    """

    def __init__(self, client: Callable[[], Any], name: str) -> None:
        self._client, self._name = client, name
        self._value: str | None = None

    def value(self) -> str | None:
        """The value; None while the stack has not created the parameter. Raises `Throttled` or `Unavailable`."""
        if self._value is None:
            with translated_errors("SSM"):
                try:
                    self._value = self._client().get_parameter(Name=self._name)["Parameter"]["Value"]
                except ClientError as error:
                    if error_code(error) != "ParameterNotFound":
                        raise
        return self._value
