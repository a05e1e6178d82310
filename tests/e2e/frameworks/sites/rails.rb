# Rails with its session, a signed or an encrypted cookie: the argument says which. Another names the cipher.
require_relative "serve"
require "action_controller/railtie"

PLACE, CIPHER = ARGV

class Site < Rails::Application
  config.load_defaults 6.1
  config.eager_load = false
  config.action_dispatch.use_authenticated_cookie_encryption = CIPHER != "aes-256-cbc"
  config.secret_key_base = ENV.fetch("ORIGIN_KEY")
  config.hosts.clear
  config.logger = Logger.new(IO::NULL)
  config.session_store :cookie_store, key: "_app_session", secure: true, **EXPIRE_AFTER
end

class UsersController < ActionController::Base
  def home
    render plain: kept[:user] || "nobody"
  end

  def login
    PLACE == "session" ? session[:user] = params[:user] : kept[:user] = cookie(params[:user])
    redirect_to "/"
  end

  def logout
    PLACE == "session" ? reset_session : cookies.delete(:user)
    redirect_to "/"
  end

  private

  def cookie(value)
    lasting = EXPIRE_AFTER.transform_keys(expire_after: :expires).transform_values { |seconds| Time.now + seconds }
    { value: value, secure: true, httponly: true, **lasting }
  end

  def kept
    { "session" => session, "signed" => cookies.signed, "encrypted" => cookies.encrypted }.fetch(PLACE)
  end
end

Site.initialize!
Site.routes.draw do
  root to: "users#home"
  get "login", to: "users#login"
  get "logout", to: "users#logout"
end

serve "Rails #{Rails.version}", Site
