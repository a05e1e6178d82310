<?php
// Laravel's own middleware for encrypted cookies, without the rest of Laravel.
require_once 'Illuminate/Cookie/autoload.php';
require_once 'Illuminate/Encryption/autoload.php';

use Illuminate\Cookie\Middleware\EncryptCookies;
use Illuminate\Encryption\Encrypter;
use Symfony\Component\HttpFoundation\Cookie;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;

$encrypter = new Encrypter(base64_decode(substr(getenv('ORIGIN_KEY'), strlen('base64:'))), 'AES-256-CBC');

(new EncryptCookies($encrypter))->handle(Request::createFromGlobals(), function (Request $request) {
    $response = new Response($request->cookies->get('user') ?? 'nobody');
    switch ($request->getPathInfo()) {
        case '/login':
            $response->headers->setCookie(Cookie::create('user', $request->query->get('user')));
            break;
        case '/logout':
            $response->headers->clearCookie('user');
            break;
    }
    return $response;
})->send();
