<?php
// Laravel's own middleware for encrypted cookies and for sessions, which are in files, without the rest of Laravel.
require_once 'Illuminate/Config/autoload.php';
require_once 'Illuminate/Container/autoload.php';
require_once 'Illuminate/Cookie/autoload.php';
require_once 'Illuminate/Encryption/autoload.php';
require_once 'Illuminate/Http/autoload.php';
require_once 'Illuminate/Session/autoload.php';

use Illuminate\Config\Repository;
use Illuminate\Container\Container;
use Illuminate\Cookie\Middleware\EncryptCookies;
use Illuminate\Encryption\Encrypter;
use Illuminate\Filesystem\Filesystem;
use Illuminate\Http\Request;
use Illuminate\Http\Response;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Session\SessionManager;
use Illuminate\Support\Facades\Facade;

// what config/session.php of a new application says, and Secure
$session = [
    'driver' => 'file',
    'files' => ini_get('session.save_path'),
    'lifetime' => 120,
    'expire_on_close' => false,
    'lottery' => [2, 100],
    'cookie' => 'laravel_session',
    'path' => '/',
    'domain' => null,
    'secure' => true,
    'http_only' => true,
    'same_site' => 'lax',
    'encrypt' => false,
];

$container = new Container();
$container->instance('config', new Repository(['session' => $session]));
$container->instance('files', new Filesystem());
Facade::setFacadeApplication($container);

$encrypter = new Encrypter(base64_decode(substr(getenv('ORIGIN_KEY'), strlen('base64:'))), 'AES-256-CBC');
$encrypted = new EncryptCookies($encrypter);
$started = new StartSession(new SessionManager($container));

$site = function (Request $request) {
    $session = $request->session();
    switch ($request->getPathInfo()) {
        case '/login':
            $session->regenerate(true);
            $session->put('user', $request->query->get('user'));
            break;
        case '/logout':
            $session->invalidate();
            break;
    }
    return new Response($session->get('user', 'nobody'));
};

$encrypted->handle(
    Request::capture(),
    fn (Request $request) => $started->handle($request, $site)
)->send();
