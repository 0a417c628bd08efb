<?php

require __DIR__ . '/verify.php';

$answers = [];
foreach (json_decode(file_get_contents('php://stdin'), true, flags: JSON_THROW_ON_ERROR) as $case) {
    $body = base64_decode($case['body'], true);
    $answers[] = $case['kind'] === 'x-hub'
        ? verify_x_hub($case['secret'], $case['headers']['x-hub-signature-256'] ?? '', $body)
        : verify_standard($case['secret'], $case['headers'], $body, $case['now']);
}
echo json_encode($answers);
