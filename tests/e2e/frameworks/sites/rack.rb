# Rack with Rack::Session::Cookie.
require_relative "serve"

site = Rack::Builder.app do
  use Rack::Session::Cookie, key: "rack.session", path: "/", secret: ENV.fetch("ORIGIN_KEY"), secure: true, **EXPIRE_AFTER
  run(lambda do |env|
    request = Rack::Request.new(env)
    case request.path
    when "/login" then request.session["user"] = request.params["user"]
    when "/logout" then request.session.clear
    end
    [200, { "Content-Type" => "text/plain" }, [request.session["user"] || "nobody"]]
  end)
end

serve "Rack #{Rack.release}", site
