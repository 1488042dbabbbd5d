import os
from urllib.request import urlopen

from . import words


def handle(event, context):
    # A function that calls another: nothing but the address is ours.
    shouted = urlopen(os.environ["gateway_url"] + "/function/binary-fn", data=event.body).read()
    return {
        "statusCode": 202,
        "body": {"method": event.method, "said": shouted.decode(), "word": words.WORD, "q": event.query.get("q")},
        "headers": {"X-Made-By": "python"},
    }
