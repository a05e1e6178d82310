<?php
// Prints what PHP made of the request's Cookie header: a list of [name, value].
$seen = [];
foreach ($_COOKIE as $name => $value) {
    $seen[] = [(string) $name, is_array($value) ? json_encode($value, JSON_INVALID_UTF8_SUBSTITUTE) : $value];
}
header("Content-Type: application/json");
echo json_encode($seen, JSON_INVALID_UTF8_SUBSTITUTE);
