import { readFileSync } from "node:fs";
import { verifyStandard, verifyXHub } from "./verify.mjs";

const answers = JSON.parse(readFileSync(0, "utf8")).map(({ kind, secret, headers, body, now }) => {
  const bytes = Buffer.from(body, "base64");
  return kind === "x-hub"
    ? verifyXHub(secret, headers["x-hub-signature-256"], bytes)
    : verifyStandard(secret, headers, bytes, now);
});
process.stdout.write(JSON.stringify(answers));
