"""Prints what Werkzeug 1 makes of raw Cookie headers; the protocol is that of frameworks.py."""

import json
import sys

from werkzeug.http import parse_cookie

for line in sys.stdin:
    headers = [bytes.fromhex(part).strip(b" \t").decode("latin-1") for part in line.strip().split(",")]
    texts = sorted({glue.join(headers) for glue in (", ", "; ")})
    print(json.dumps({"werkzeug-1": [pair for text in texts for pair in parse_cookie(text).items(multi=True)]}))
