# Serves a Rack application on a free port; the first line says its version and address.
require "rack"
require "webrick"
begin
  require "rackup" # Rack 3's servers
rescue LoadError
  Rackup = Rack
end

# How long the cookie is to last, as an option; none for the framework's default.
EXPIRE_AFTER = ENV["LIFETIME"] ? { expire_after: Integer(ENV["LIFETIME"]) } : {}

def serve(version, site)
  quiet = { Logger: WEBrick::Log.new($stderr, WEBrick::Log::FATAL), AccessLog: [] }
  # as the edge in front of a site says
  by_https = ->(env) { site.call(env.merge("HTTPS" => "on", "rack.url_scheme" => "https")) }
  Rackup::Handler::WEBrick.run(by_https, Host: "127.0.0.1", Port: 0, **quiet) do |server|
    $stdout.puts "#{version} http://127.0.0.1:#{server.listeners.first.addr[1]}"
    $stdout.flush
  end
end
