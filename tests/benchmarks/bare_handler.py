"""The reference for a cold start: the least code that renders a thumbnail and stores a record by boto3 and Pillow."""

import io
import os

import boto3
from PIL import Image

s3 = boto3.client("s3")
dynamodb = boto3.client("dynamodb")


def handler(event, context):  # noqa: ARG001 - Lambda's signature
    for record in event["Records"]:
        key = record["s3"]["object"]["key"]
        source = s3.get_object(Bucket=os.environ["UPLOAD_BUCKET"], Key=key)["Body"].read()
        image = Image.open(io.BytesIO(source))
        image.thumbnail((128, 128))
        body = io.BytesIO()
        image.save(body, "JPEG")
        s3.put_object(Bucket=os.environ["PROCESSED_BUCKET"], Key=f"{key}/thumbnail", Body=body.getvalue())
        item = {"id": {"S": key}}
        dynamodb.batch_write_item(RequestItems={os.environ["METADATA_TABLE"]: [{"PutRequest": {"Item": item}}]})
