import { createHmac, timingSafeEqual } from "node:crypto";

const TOLERANCE = 300; // seconds that a delivery may be old, or ahead of this machine's clock

function same(given, right) {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

// Standard Webhooks. headers: an object, names in lower case, as Node's req.headers; body: a Buffer of the raw bytes.
export function verifyStandard(secret, headers, body, now = Date.now() / 1000) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  if (!id || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(now - Number(timestamp)) > TOLERANCE) return false;
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : secret;
  if (!key.length) return false; // anybody can sign with an empty secret, such as an unset variable is read
  const right = "v1," + createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
  return (headers["webhook-signature"] ?? "").split(" ").some((given) => same(given, right));
}

// X-Hub. header: the value of x-hub-signature-256; body: a Buffer of the raw bytes.
export function verifyXHub(secret, header, body) {
  if (!secret) return false;
  return same(header ?? "", "sha256=" + createHmac("sha256", secret).update(body).digest("hex"));
}
