<?php

const TOLERANCE = 300; // seconds that a delivery may be old, or ahead of this machine's clock

/** Standard Webhooks. $headers: names in lower case; $body: the raw bytes, file_get_contents('php://input'). */
function verify_standard(string $secret, array $headers, string $body, ?int $now = null): bool
{
    $id = $headers['webhook-id'] ?? '';
    $timestamp = $headers['webhook-timestamp'] ?? '';
    if ($id === '' || preg_match('/^\d{1,12}$/D', $timestamp) !== 1) {
        return false;
    }
    if (abs(($now ?? time()) - (int) $timestamp) > TOLERANCE) {
        return false;
    }
    $key = str_starts_with($secret, 'whsec_') ? base64_decode(substr($secret, 6)) : $secret;
    if ($key === '') {
        return false; // anybody can sign with an empty secret, such as an unset variable is read
    }
    $right = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    foreach (explode(' ', $headers['webhook-signature'] ?? '') as $given) {
        if (hash_equals($right, $given)) {
            return true;
        }
    }
    return false;
}

/** X-Hub. $header: $_SERVER['HTTP_X_HUB_SIGNATURE_256'] ?? ''; $body: the raw bytes. */
function verify_x_hub(string $secret, string $header, string $body): bool
{
    if ($secret === '') {
        return false;
    }
    return hash_equals('sha256=' . hash_hmac('sha256', $body, $secret), $header);
}
