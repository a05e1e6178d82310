# Rack 3 with Rack::Session::Cookie of rack-session 2.
require_relative "serve"
require "rack/session"
require "rack/session/version"

site = Rack::Builder.app do
  use Rack::Session::Cookie, path: "/", secrets: ENV.fetch("ORIGIN_KEY"), secure: true, **EXPIRE_AFTER
  run(lambda do |env|
    request = Rack::Request.new(env)
    case request.path
    when "/login" then request.session["user"] = request.params["user"]
    when "/logout" then request.session.clear
    end
    [200, { "content-type" => "text/plain" }, [request.session["user"] || "nobody"]]
  end)
end

serve "rack-session #{Rack::Session::VERSION}", site
