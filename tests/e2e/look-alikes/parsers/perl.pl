# Prints what a Perl cookie parser makes of raw Cookie headers; the protocol is that of frameworks.py.
# The argument names the parser.
use strict;
use warnings;
use JSON::PP;

my %parsers = (
    mojolicious => sub {
        require Mojo::Cookie::Request;
        map { [$_->name, $_->value // ''] } @{Mojo::Cookie::Request->parse($_[0])};
    },
    'cgi.pm' => sub {
        require CGI::Cookie;
        my %jar = CGI::Cookie->parse($_[0]);
        map { [$_, join '&', $jar{$_}->value] } keys %jar;
    },
    plack => sub {
        require Plack::Request;
        my $jar = Plack::Request->new({HTTP_COOKIE => $_[0]})->cookies;
        map { [$_, $jar->{$_} // ''] } keys %$jar;
    },
);

my $parser = shift @ARGV;
my $json = JSON::PP->new->latin1->canonical;
while (my $line = <STDIN>) {
    chomp $line;
    my @headers = map { my $header = pack 'H*', $_; $header =~ s/\A[ \t]+|[ \t]+\z//g; $header } split /,/, $line;
    my %texts = map { join($_, @headers) => 1 } ', ', '; ';
    my @seen = map { $parsers{$parser}->($_) } sort keys %texts;
    print $json->encode({$parser => \@seen}), "\n";
}
