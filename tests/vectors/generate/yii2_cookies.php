<?php
// What Yii 2 does with a cookie, asked by from_yii2.py: a question a line in JSON, and the answer a line. It calls the
// functions of PHP that yii\web\Request, yii\web\Response and yii\base\Security call, in their order.
while (($line = fgets(STDIN)) !== false) {
    $asked = json_decode($line, true);
    $key = base64_decode($asked['key']);
    echo json_encode(isset($asked['sign']) ? signed($asked, $key) : found($asked, $key)), "\n";
}

function signed(array $asked, string $key): string
{
    $data = serialize([$asked['name'], $asked['sign']]);
    return rawurlencode(hash_hmac($asked['digest'], $data, $key) . $data); // which setcookie writes
}

function found(array $asked, string $key): ?array
{
    $value = urldecode($asked['read']); // as $_COOKIE has it
    $length = strlen(hash_hmac($asked['digest'], '', ''));
    if (strlen($value) < $length) return null;
    $data = substr($value, $length);
    if (!hash_equals(hash_hmac($asked['digest'], $data, $key), substr($value, 0, $length))) return null;
    $data = @unserialize($data, ['allowed_classes' => false]);
    $isOwn = is_array($data) && isset($data[0], $data[1]) && $data[0] === $asked['name'];
    return $isOwn ? ['found' => $data[1]] : null;
}
