"""CloudFront: the one reader of the renditions from outside, and how it caches and answers."""

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


def test_this_distribution_alone_may_read_the_renditions_and_not_list_them(stack: Stack) -> None:
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


def test_without_a_distribution_nobody_reads_from_outside() -> None:
    assert not _readers(resolve(EnableCdn="false"))


def test_nobody_from_outside_reads_the_sources(stack: Stack) -> None:
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


def test_renditions_are_cached_by_path_alone_and_compressed(stack: Stack, distribution: dict[str, Any]) -> None:
    behavior = distribution["DefaultCacheBehavior"]

    assert behavior["CachePolicyId"] == "<CachePolicy>"
    assert behavior["Compress"] is True
    assert "CacheBehaviors" not in distribution  # so that it holds for every path
    assert stack.properties("CachePolicy")["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"] == {
        "EnableAcceptEncodingGzip": True,
        "EnableAcceptEncodingBrotli": True,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
    }


def test_what_is_not_to_be_stored_is_not(stack: Stack) -> None:
    # The redirect to a large picture says no-store; with a MinTTL of 1, who follows it would meet it once more.
    assert stack.properties("CachePolicy")["CachePolicyConfig"]["MinTTL"] == 0


def test_the_distribution_only_reads(distribution: dict[str, Any]) -> None:
    assert distribution["DefaultCacheBehavior"]["AllowedMethods"] == ["GET", "HEAD"]


def test_a_rendition_asked_for_too_early_is_there_a_second_later(distribution: dict[str, Any]) -> None:
    # S3 answers 403 for a missing key to who may not list, and CloudFront keeps an error for 10 s by itself.
    without = resolve(EnableDelivery="false").properties("Distribution")["DistributionConfig"]

    assert _seconds_kept(without) == {403: 1, 404: 1, 500: 5, 502: 5, 503: 5, 504: 5}
    assert _seconds_kept(distribution)[404] == 1


def test_a_403_is_never_kept_for_those_whose_url_is_signed(distribution: dict[str, Any]) -> None:
    # CloudFront takes no notice of a 403's no-store, and the path is the same with a signature and without.
    assert _seconds_kept(distribution) == {403: 0, 404: 1, 500: 5, 502: 5, 503: 5, 504: 5}


def _seconds_kept(distribution: dict[str, Any]) -> dict[int, int]:
    responses = distribution["CustomErrorResponses"]
    assert not [response for response in responses if response.keys() != {"ErrorCode", "ErrorCachingMinTTL"}]
    return {response["ErrorCode"]: response["ErrorCachingMinTTL"] for response in responses}


def test_browsers_are_sent_to_https(distribution: dict[str, Any]) -> None:
    assert distribution["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"


def test_the_distribution_speaks_http_2_and_3_over_ipv6_too(distribution: dict[str, Any]) -> None:
    assert distribution["HttpVersion"] == "http2and3"
    assert distribution["IPV6Enabled"] is True
    assert distribution["Enabled"] is True


def test_a_domain_of_ones_own_comes_with_its_certificate_and_tls_1_2() -> None:
    stack = resolve(CdnAlias="i.example.com", CdnCertificateArn=CERTIFICATE)
    config = stack.properties("Distribution")["DistributionConfig"]

    assert config["Aliases"] == ["i.example.com"]
    assert config["ViewerCertificate"] == {
        "AcmCertificateArn": CERTIFICATE,
        "SslSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }


def test_without_one_the_distribution_has_cloudfronts(distribution: dict[str, Any]) -> None:
    assert "Aliases" not in distribution
    assert distribution["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}


def test_the_function_finds_the_distributions_id_by_a_name_that_draws_no_circle(stack: Stack) -> None:
    parameter = stack.properties("DistributionId")
    told = stack.properties("Function")["Environment"]["Variables"]["DISTRIBUTION_PARAMETER"]

    assert parameter["Name"] == told
    assert (parameter["Type"], parameter["Value"]) == ("String", "<Distribution>")
    assert not {"Distribution", "DistributionId"} & stack.references["Function"]
    # SSM refuses a name that begins with aws or ssm, with a slash or without, and a stack's may.
    assert not told.lstrip("/").lower().startswith(("aws", "ssm"))


def test_what_tells_of_the_source_itself_goes_no_further(headers: dict[str, Any]) -> None:
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


def test_a_rendition_can_do_nothing_in_a_browser_but_be_seen(
    headers: dict[str, Any], distribution: dict[str, Any]
) -> None:
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
