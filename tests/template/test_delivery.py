"""CloudFront: the only reader of the renditions outside the stack, its caching and its answers."""

from typing import Any

import pytest

from image_processor.aws.s3 import SOURCE_ETAG

from .cloudformation import Stack, resolve

CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/1"


@pytest.fixture(scope="module")
def stack() -> Stack:
    return resolve()


@pytest.fixture(scope="module")
def distribution(stack: Stack) -> dict[str, Any]:
    return stack.properties("Distribution")["DistributionConfig"]


@pytest.fixture(scope="module")
def headers(stack: Stack) -> dict[str, Any]:
    return stack.properties("ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]


def _readers(stack: Stack) -> list[dict[str, Any]]:
    statements = stack.properties("ProcessedBucketPolicy")["PolicyDocument"]["Statement"]
    return [statement for statement in statements if statement["Effect"] == "Allow"]


def test_only_this_distribution_may_read_the_renditions_and_it_may_not_list_them(stack: Stack) -> None:
    assert _readers(stack) == [
        {
            "Sid": "AllowThisDistribution",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": "<ProcessedBucket.Arn>/*",
            "Condition": {
                "StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::111122223333:distribution/<Distribution>"}
            },
        }
    ]


def test_without_a_distribution_nothing_outside_the_stack_may_read_renditions() -> None:
    assert not _readers(resolve(EnableCdn="false"))


def test_nothing_outside_the_stack_may_read_the_sources(stack: Stack) -> None:
    statements = stack.properties("UploadBucketPolicy")["PolicyDocument"]["Statement"]

    assert {statement["Effect"] for statement in statements} == {"Deny"}


def test_the_distribution_signs_every_request_to_the_bucket(stack: Stack, distribution: dict[str, Any]) -> None:
    config = stack.properties("OriginAccessControl")["OriginAccessControlConfig"]
    origin = distribution["Origins"][0]

    assert config["OriginAccessControlOriginType"] == "s3"
    assert (config["SigningBehavior"], config["SigningProtocol"]) == ("always", "sigv4")
    assert origin["OriginAccessControlId"] == "<OriginAccessControl.Id>"
    assert origin["DomainName"] == "<ProcessedBucket.RegionalDomainName>"
    assert origin["S3OriginConfig"] == {"OriginAccessIdentity": ""}


def test_renditions_are_cached_by_path_and_version_alone_and_compressed(
    stack: Stack, distribution: dict[str, Any]
) -> None:
    behavior = distribution["DefaultCacheBehavior"]

    assert behavior["CachePolicyId"] == "<CachePolicy>"
    assert behavior["Compress"] is True
    assert "CacheBehaviors" not in distribution  # so that it holds for every path
    assert stack.properties("CachePolicy")["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"] == {
        "EnableAcceptEncodingGzip": True,
        "EnableAcceptEncodingBrotli": True,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "whitelist", "QueryStrings": ["v"]},
        "CookiesConfig": {"CookieBehavior": "none"},
    }


def test_an_answer_with_no_store_is_not_cached(stack: Stack) -> None:
    # The redirect to a large picture has no-store; a MinTTL of 1 would cause a redirect loop.
    assert stack.properties("CachePolicy")["CachePolicyConfig"]["MinTTL"] == 0


def test_the_distribution_only_reads(distribution: dict[str, Any]) -> None:
    assert distribution["DefaultCacheBehavior"]["AllowedMethods"] == ["GET", "HEAD"]


def test_a_rendition_requested_too_early_is_served_a_second_later(distribution: dict[str, Any]) -> None:
    # Without s3:ListBucket S3 answers 403 for a missing key, and CloudFront caches an error for 10 s by default.
    without = resolve(EnableDelivery="false").properties("Distribution")["DistributionConfig"]

    assert _seconds_cached(without) == {403: 1, 404: 1, 500: 5, 502: 5, 503: 5, 504: 5}
    assert _seconds_cached(distribution)[404] == 1


def test_a_403_is_never_cached_because_signed_urls_have_the_same_path(distribution: dict[str, Any]) -> None:
    # CloudFront ignores the no-store of a 403, and the path is the same with and without a signature.
    assert _seconds_cached(distribution) == {403: 0, 404: 1, 500: 5, 502: 5, 503: 5, 504: 5}


def _seconds_cached(distribution: dict[str, Any]) -> dict[int, int]:
    responses = distribution["CustomErrorResponses"]
    assert not [response for response in responses if response.keys() != {"ErrorCode", "ErrorCachingMinTTL"}]
    return {response["ErrorCode"]: response["ErrorCachingMinTTL"] for response in responses}


def test_browsers_are_sent_to_https(distribution: dict[str, Any]) -> None:
    assert distribution["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"


def test_the_distribution_speaks_http_2_and_3_over_ipv6_too(distribution: dict[str, Any]) -> None:
    assert distribution["HttpVersion"] == "http2and3"
    assert distribution["IPV6Enabled"] is True
    assert distribution["Enabled"] is True


def test_an_alias_has_its_certificate_and_tls_1_2() -> None:
    stack = resolve(CdnAlias="i.example.com", CdnCertificateArn=CERTIFICATE)
    config = stack.properties("Distribution")["DistributionConfig"]

    assert config["Aliases"] == ["i.example.com"]
    assert config["ViewerCertificate"] == {
        "AcmCertificateArn": CERTIFICATE,
        "SslSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }


def test_without_an_alias_the_distribution_has_cloudfront_s_certificate(distribution: dict[str, Any]) -> None:
    assert "Aliases" not in distribution
    assert distribution["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}


def test_the_function_finds_the_distribution_s_id_without_a_circular_dependency(stack: Stack) -> None:
    parameter = stack.properties("DistributionId")
    told = stack.properties("Function")["Environment"]["Variables"]["DISTRIBUTION_PARAMETER"]

    assert parameter["Name"] == told
    assert (parameter["Type"], parameter["Value"]) == ("String", "<Distribution>")
    assert not {"Distribution", "DistributionId"} & stack.references["Function"]
    # SSM rejects a name that starts with aws or ssm, with or without a slash, as a stack's name may.
    assert not told.lstrip("/").lower().startswith(("aws", "ssm"))


def test_the_source_s_etag_is_removed_from_answers(headers: dict[str, Any]) -> None:
    assert headers["RemoveHeadersConfig"] == {"Items": [{"Header": f"x-amz-meta-{SOURCE_ETAG}"}]}


def test_any_page_may_show_a_rendition_and_draw_it(headers: dict[str, Any]) -> None:
    cors = headers["CorsConfig"]

    assert cors["AccessControlAllowOrigins"] == {"Items": ["*"]}
    assert cors["AccessControlAllowMethods"] == {"Items": ["GET", "HEAD"]}
    assert cors["AccessControlAllowCredentials"] is False
    assert headers["CustomHeadersConfig"]["Items"] == [
        {"Header": "Cross-Origin-Resource-Policy", "Value": "cross-origin", "Override": True},
        {"Header": "Timing-Allow-Origin", "Value": "*", "Override": True},
    ]


def test_a_browser_can_only_show_a_rendition(headers: dict[str, Any], distribution: dict[str, Any]) -> None:
    security = headers["SecurityHeadersConfig"]
    policy = security["ContentSecurityPolicy"]["ContentSecurityPolicy"].split("; ")

    assert distribution["DefaultCacheBehavior"]["ResponseHeadersPolicyId"] == "<ResponseHeadersPolicy>"
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert not [directive for directive in policy if directive.startswith(("script-src", "connect-src"))]
    assert security["FrameOptions"]["FrameOption"] == "DENY"
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer"
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 365 * 24 * 60 * 60
    assert all(security[name]["Override"] for name in security)
    assert "ContentTypeOptions" in security
