import base64
import hashlib
import hmac
import time

TOLERANCE = 300  # seconds that a delivery may be old, or ahead of this machine's clock


def verify_standard(secret, headers, body, now=None):
    """Standard Webhooks. `headers`: a mapping, names in lower case; `body`: the raw bytes."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not message_id or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE:
        return False
    if secret.startswith("whsec_"):
        encoded = secret.removeprefix("whsec_").rstrip("=")
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    else:
        key = secret.encode()
    if not key:
        return False  # anybody can sign with an empty secret, such as an unset variable is read
    signed = f"{message_id}.{timestamp}.".encode() + body
    right = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(one.encode(), right.encode()) for one in given)


def verify_x_hub(secret, header, body):
    """X-Hub. `header`: the value of X-Hub-Signature-256, "" if there is none; `body`: the raw bytes."""
    if not secret:
        return False
    right = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(header.encode(), right.encode())
