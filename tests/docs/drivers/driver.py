"""Cases as JSON from stdin, through docs/examples/verify.py beside this file; answers as JSON to stdout."""

import base64
import json
import sys

from verify import verify_standard, verify_x_hub  # type: ignore[import-not-found]


def answer(case: dict[str, object]) -> bool:
    body = base64.b64decode(str(case["body"]))
    if case["kind"] == "x-hub":
        return bool(verify_x_hub(case["secret"], case["headers"].get("x-hub-signature-256", ""), body))  # type: ignore[attr-defined]
    return bool(verify_standard(case["secret"], case["headers"], body, case["now"]))


json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout)
