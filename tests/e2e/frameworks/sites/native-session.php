<?php
// PHP with its own sessions, whose cookie is not signed.
if (getenv('LIFETIME')) {
    ini_set('session.cookie_lifetime', getenv('LIFETIME'));
}
session_start();

switch (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
    case '/login':
        session_regenerate_id(true);
        $_SESSION['user'] = $_GET['user'];
        break;
    case '/logout':
        $_SESSION = [];
        session_destroy();
        setcookie(session_name(), '', ['expires' => 1, 'path' => '/']);
        break;
}

echo $_SESSION['user'] ?? 'nobody';
