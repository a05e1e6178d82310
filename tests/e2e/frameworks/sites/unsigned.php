<?php
// PHP with a cookie that nobody signs, its value written as it is.
switch (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
    case '/login':
        header("Set-Cookie: user={$_GET['user']}; path=/; HttpOnly");
        break;
    case '/logout':
        setcookie('user', '', ['expires' => 1, 'path' => '/', 'httponly' => true]);
        break;
}

echo json_encode($_COOKIE['user'] ?? null);
