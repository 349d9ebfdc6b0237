"""Events about an object of the upload bucket, in the two forms that S3 sends them."""


def notification(key: str, bucket: str = "uploads", name: str = "ObjectCreated:Put") -> dict:
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": name,
        "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": 5, "eTag": "e"}},
    }


def eventbridge_event(key: str, bucket: str = "uploads") -> dict:
    return {
        "version": "0",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key}},
    }
