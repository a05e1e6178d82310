# Writes rack-session-VERSION.jsonl: cookies that the middleware of the gem rack-session sets, each read by it too.
#
#     ruby -I RACK_SESSION/lib -I RACK/lib tests/vectors/generate/from_rack_session.rb [--out FOLDER] [--seed N]
#
# Not among run.py's sources, which come from pip and npm: what stands in tests/vectors/frozen was made from the tags of the
# two repositories. With the gems installed it needs neither -I.
require "json"
require "openssl"
require "optparse"
require "rack/session/cookie"
require "rack/session/version"
require "rack"

OPTIONS = { out: "tests/vectors/frozen", seed: "1" }
OptionParser.new { |parser| %w[out seed].each { |name| parser.on("--#{name} X") { |x| OPTIONS[name.to_sym] = x } } }.parse!

VERSION = Rack::Session::VERSION
# before 2.1.2 the gem had one encryptor
ENCRYPTOR = Rack::Session::Encryptor.const_defined?(:V2) ? "v2" : "v1"
SESSIONS = {
  "short" => { "user" => "ada" },
  "nested" => { "user" => "grace", "cart" => [{ "sku" => "a", "n" => 2 }, nil], "ok" => true },
  "controls" => { "user" => "\\\";, \u0001" },
  "long" => { "user" => "hedy", "log" => ["item"] * 60 },
}.freeze

# Bytes that depend on the seed and a name alone.
class Draw
  def initialize(name)
    @name, @count = "#{OPTIONS[:seed]}:#{name}", 0
  end

  def bytes(length)
    block = "".b
    block << OpenSSL::Digest::SHA256.digest("#{@name}:#{(@count += 1) - 1}") while block.bytesize < length
    block.byteslice(0, length)
  end

  def secret(length)
    bytes(length).unpack("C*").map { |byte| ("!".ord + byte % 94).chr }.join.tr("\\\\\"", "xy")
  end
end

# What is drawn while a session is encrypted: padding, salt and IV.
module Recorded
  class << self
    attr_accessor :draw, :bytes
  end

  def self.take(length)
    draw.bytes(length).tap { |drawn| bytes << drawn }
  end

  def encrypt(message)
    Recorded.bytes = "".b
    super
  end
end
Recorded.bytes = "".b
Rack::Session::Encryptor.prepend(Recorded)
SecureRandom.define_singleton_method(:gen_random) { |length| Recorded.take(length) }
SecureRandom.define_singleton_method(:bytes) { |length| Recorded.take(length) }
OpenSSL::Cipher.class_eval do
  def random_iv
    self.iv = Recorded.take(iv_len)
  end
end

# The middleware as a site has it, whose one page sets or tells the session.
class Site
  def initialize(secret, name, json:, purpose:)
    @name = name
    options = { secrets: secret, serialize_json: json, **(purpose ? { key: name } : {}) }
    @app = Rack::Session::Cookie.new(method(:page), options)
  end

  def made(session, id)
    Recorded.draw = Draw.new("#{id}-drawn")
    _, headers, = @app.call(Rack::MockRequest.env_for("/", "session" => session))
    headers["set-cookie"][/\A#{Regexp.escape(@name)}=([^;]*)/, 1]
  end

  def read(value)
    Recorded.draw = Draw.new("read")
    env = Rack::MockRequest.env_for("/", "HTTP_COOKIE" => "#{@name}=#{value}", "rack.errors" => StringIO.new)
    @app.call(env)
    env["read"]
  rescue OpenSSL::Cipher::CipherError, JSON::ParserError, TypeError, NoMethodError
    {} # no quiet refusal, but one
  end

  private

  def page(env)
    session = env["rack.session"]
    if env["session"]
      env["session"].each { |name, value| session[name] = value }
    else
      env["read"] = JSON.parse(JSON.generate(session.to_hash)) # its id is an object of the gem's
    end
    [200, {}, []]
  end
end

def insist(holds, fault)
  holds or abort "error: #{fault}"
end

def row(id, session, json:, purpose:)
  draw = Draw.new(id)
  key, other, name = draw.secret(64 + draw.bytes(1).ord % 30), draw.secret(64), purpose ? "sid" : "rack.session"
  site = ->(secret, as: purpose, cookie: name) { Site.new(secret, cookie, json: json, purpose: as) }
  value, own = site[key].made(session, id), site[key]
  drawn = Recorded.bytes.unpack1("H*")
  other_value = site[other].made(session, id)
  payload = own.read(value)
  insist payload.reject { |field| field == "session_id" } == session, "#{id} is read as #{payload}"
  insist site[other].read(other_value) == payload, "#{id} under the other key is read as something else"
  refused = ->(text) { (own.read(text).keys & session.keys).empty? }
  insist refused[other_value], "#{id} is accepted under the other key"
  renamed = purpose ? [site[key, cookie: "sad"].made(session, id), site[key, as: nil, cookie: "rack.session"].made(session, id)] : []
  tampered = spoiled(value) + [other_value] + renamed
  tampered.each { |text| insist refused[text], "#{id} is accepted though tampered: #{text}" }
  plain = Rack::Utils.unescape(value)
  spelled = [plain, plain.gsub("=", "%3d")].reject { |text| text.include?("+") }
  spelled.each { |text| insist own.read(text) == payload, "#{id} is refused as #{text}" }
  config = { format: "rack-session", version: 2, **(ENCRYPTOR == "v1" ? { encryptor: "v1" } : {}), **(purpose ? { purpose: true } : {}) }
  {
    id: id, framework: "rack-session #{VERSION} (Rack #{Rack.release})", config: config, cookie: name, key: key, other_key: other,
    value: value, other_value: nil, signed_at: nil, payload: payload, other_value_same_salts: other_value, drawn: drawn,
    tampered: tampered, also_accepted: spelled - [value], notes: { kind: json ? "JSON" : "Marshal" },
  }
end

# One bit changed in each part, parts left out and added, another alphabet.
def spoiled(value)
  text = Rack::Utils.unescape(value)
  bytes = text.tr("-_", "+/").unpack1("m")
  written = ->(changed) { Rack::Utils.escape(ENCRYPTOR == "v1" ? [changed].pack("m0").tr("+/", "-_") : [changed].pack("m0")) }
  places = [0, 1, 16, 33, 44, 45, 50, 61, bytes.bytesize - 1, bytes.bytesize - 20].select { |place| place < bytes.bytesize }
  flipped = places.map { |place| bytes.dup.tap { |copy| copy.setbyte(place, copy.getbyte(place) ^ 1) } }
  other_version = bytes.dup.tap { |copy| copy.setbyte(0, 3 - copy.getbyte(0)) }
  changed = flipped + [other_version, bytes[0..-2], bytes[1..], "#{bytes}x", bytes[0, 61], bytes[0, 20], bytes * 2]
  changed.map(&written) + ["", text[0..-5], "A#{text}"]
end

rows = SESSIONS.each_with_index.flat_map do |(name, session), index|
  [true, false].map do |json|
    purpose = (index + (json ? 1 : 0)).odd?
    row("rack-session-#{VERSION}-#{json ? "json" : "marshal"}-#{name}", session, json: json, purpose: purpose)
  end
end
File.write(File.join(OPTIONS[:out], "rack-session-#{VERSION}.jsonl"), rows.map { |row| "#{JSON.generate(row)}\n" }.join)
puts "rack-session-#{VERSION} #{rows.size} rows"
