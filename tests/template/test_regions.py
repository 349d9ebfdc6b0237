"""Regions without Lambda function URLs: the default stack has no delivery there, instead of a rollback."""

import pytest

from .cloudformation import resolve

# https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html, read in November 2026
WITHOUT_FUNCTION_URLS = [
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
]


@pytest.mark.parametrize("region", WITHOUT_FUNCTION_URLS)
def test_a_region_without_function_urls_has_the_stack_without_delivery(region: str) -> None:
    there, off = resolve(region=region), resolve(region=region, EnableDelivery="false")

    assert there.resources == off.resources
    assert there.outputs == off.outputs
    assert not there.of_type("AWS::Lambda::Url")
    assert there.of_type("AWS::CloudFront::Distribution")


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "ap-south-1", "ap-southeast-3", "me-south-1"])
def test_other_regions_have_delivery(region: str) -> None:
    assert resolve(region=region).of_type("AWS::Lambda::Url")
