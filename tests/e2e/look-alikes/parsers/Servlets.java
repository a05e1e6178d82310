// Prints what Tomcat and Jetty make of raw Cookie headers; the protocol is that of frameworks.py.
// Which of them are there is told by the class path, so each is reached by reflection. The argument names the Tomcat.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

class Servlets {
    interface Parser {
        List<String[]> parse(List<byte[]> headers) throws ReflectiveOperationException;
    }

    public static void main(String[] arguments) throws Exception {
        java.util.logging.LogManager.getLogManager().reset();
        Map<String, Parser> parsers = new LinkedHashMap<>();
        for (String processor : List.of("Rfc6265", "Legacy")) {
            tomcat("org.apache.tomcat.util.http." + processor + "CookieProcessor", arguments[0] + "-" + processor, parsers);
        }
        for (String compliance : List.of("RFC6265", "RFC6265_LEGACY", "RFC2965")) {
            jetty(compliance, parsers);
        }
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            List<byte[]> headers = new ArrayList<>();
            for (String part : line.split(",", -1)) {
                headers.add(trim(bytes(part)));
            }
            StringJoiner seen = new StringJoiner(",", "{", "}");
            for (var parser : parsers.entrySet()) {
                seen.add(quote(parser.getKey()) + ":" + json(parse(parser.getValue(), headers)));
            }
            System.out.println(seen);
        }
    }

    static List<String[]> parse(Parser parser, List<byte[]> headers) throws ReflectiveOperationException {
        try {
            return parser.parse(headers);
        } catch (InvocationTargetException refused) {
            return List.of();
        }
    }

    static void tomcat(String name, String label, Map<String, Parser> parsers) throws ReflectiveOperationException {
        Class<?> type;
        try {
            type = Class.forName(name);
        } catch (ClassNotFoundException absent) {
            return;
        }
        Object processor = type.getConstructor().newInstance();
        Class<?> mimeHeaders = Class.forName("org.apache.tomcat.util.http.MimeHeaders");
        Class<?> serverCookies = Class.forName("org.apache.tomcat.util.http.ServerCookies");
        Method parse = type.getMethod("parseCookieHeader", mimeHeaders, serverCookies);
        parsers.put(label.toLowerCase(), headers -> {
            Object fields = mimeHeaders.getConstructor().newInstance();
            for (byte[] header : headers) {
                Object value = call(fields, "addValue", "Cookie");
                value.getClass().getMethod("setBytes", byte[].class, int.class, int.class)
                    .invoke(value, header, 0, header.length);
            }
            Object jar = serverCookies.getConstructor(int.class).newInstance(4);
            parse.invoke(processor, fields, jar);
            List<String[]> pairs = new ArrayList<>();
            int count = (int) call(jar, "getCookieCount");
            for (int i = 0; i < count; i++) {
                Object cookie = serverCookies.getMethod("getCookie", int.class).invoke(jar, i);
                pairs.add(new String[] {call(cookie, "getName").toString(), call(cookie, "getValue").toString()});
            }
            return pairs;
        });
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static void jetty(String compliance, Map<String, Parser> parsers) throws ReflectiveOperationException {
        Class<?> cutter;
        try {
            cutter = Class.forName("org.eclipse.jetty.server.CookieCutter");
        } catch (ClassNotFoundException absent) {
            return;
        }
        Class<?> modes = Class.forName("org.eclipse.jetty.http.CookieCompliance");
        Object mode = Enum.valueOf((Class<Enum>) modes, compliance);
        parsers.put("jetty-" + compliance.toLowerCase(), headers -> {
            Object cut = cutter.getConstructor(modes).newInstance(mode);
            for (byte[] header : headers) {
                call(cut, "addCookieField", new String(header, java.nio.charset.StandardCharsets.ISO_8859_1));
            }
            List<String[]> pairs = new ArrayList<>();
            for (Object cookie : (Object[]) call(cut, "getCookies")) {
                pairs.add(new String[] {(String) call(cookie, "getName"), (String) call(cookie, "getValue")});
            }
            return pairs;
        });
    }

    static Object call(Object target, String method) throws ReflectiveOperationException {
        return target.getClass().getMethod(method).invoke(target);
    }

    static Object call(Object target, String method, String argument) throws ReflectiveOperationException {
        return target.getClass().getMethod(method, String.class).invoke(target, argument);
    }

    static byte[] bytes(String hex) {
        byte[] bytes = new byte[hex.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return bytes;
    }

    static byte[] trim(byte[] header) {
        int start = 0;
        int end = header.length;
        while (start < end && (header[start] == ' ' || header[start] == '\t')) start++;
        while (end > start && (header[end - 1] == ' ' || header[end - 1] == '\t')) end--;
        return java.util.Arrays.copyOfRange(header, start, end);
    }

    static String json(List<String[]> pairs) {
        StringJoiner list = new StringJoiner(",", "[", "]");
        for (String[] pair : pairs) {
            list.add("[" + quote(pair[0]) + "," + quote(pair[1]) + "]");
        }
        return list.toString();
    }

    static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            quoted.append(c < ' ' || c > '~' || c == '"' || c == '\\' ? String.format("\\u%04x", (int) c) : c);
        }
        return quoted.append('"').toString();
    }
}
