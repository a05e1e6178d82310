# Prints what Rack and Ruby's own CGI library make of raw Cookie headers; the protocol is that of frameworks.py.
require "cgi"
require "json"
require "rack"

def text(value)
  value.to_s.dup.force_encoding("UTF-8").scrub("?")
end

def rack(header)
  Rack::Request.new("HTTP_COOKIE" => header).cookies.to_a
rescue ArgumentError, EncodingError
  []
end

def cgi(header)
  CGI::Cookie.parse(header).flat_map { |name, values| [[name, values.to_a.join("&")]] }
rescue ArgumentError, EncodingError
  []
end

$stdout.sync = true
$stdin.each_line do |line|
  headers = line.strip.split(",").map { |part| [part].pack("H*").gsub(/\A[ \t]+|[ \t]+\z/n, "") }
  texts = [", ", "; "].map { |glue| headers.join(glue) }.uniq
  seen = {
    "rack" => texts.flat_map { |header| rack(header) },
    "ruby-cgi" => texts.flat_map { |header| cgi(header) },
  }
  puts JSON.generate(seen.transform_values { |pairs| pairs.map { |name, value| [text(name), text(value)] } })
end
