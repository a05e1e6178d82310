# Serves a Rack application on a free port; the first line says its version and address.
require "rack"
require "webrick"

def serve(version, site)
  quiet = { Logger: WEBrick::Log.new($stderr, WEBrick::Log::FATAL), AccessLog: [] }
  Rack::Handler::WEBrick.run(site, Host: "127.0.0.1", Port: 0, **quiet) do |server|
    $stdout.puts "#{version} http://127.0.0.1:#{server.listeners.first.addr[1]}"
    $stdout.flush
  end
end
