# Mojolicious with its session.
use Mojolicious::Lite -signatures;
use Mojo::Server::Daemon;

app->secrets([$ENV{ORIGIN_KEY}]);
app->sessions->secure(1);
app->log->level('fatal');

get '/' => sub ($c) { $c->render(text => $c->session('user') // 'nobody') };

get '/login' => sub ($c) {
  $c->session(user => $c->param('user'));
  $c->redirect_to('/');
};

get '/logout' => sub ($c) {
  $c->session(expires => 1);
  $c->redirect_to('/');
};

my $daemon = Mojo::Server::Daemon->new(app => app, listen => ['http://127.0.0.1'], silent => 1)->start;
$| = 1;
print "Mojolicious $Mojolicious::VERSION http://127.0.0.1:${\$daemon->ports->[0]}\n";
$daemon->ioloop->start;
