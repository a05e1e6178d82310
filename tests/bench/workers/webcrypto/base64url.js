// base64url, by the runtime's own means where it has them.
const native = typeof Uint8Array.fromBase64 === "function";
const URL_SAFE = { alphabet: "base64url", omitPadding: true };

export function bytesOf(text) {
  try {
    if (native) return Uint8Array.fromBase64(text, URL_SAFE);
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}

export function textOf(buffer, padded = false) {
  const bytes = new Uint8Array(buffer);
  if (native) return bytes.toBase64({ alphabet: "base64url", omitPadding: !padded });
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const text = btoa(binary).replaceAll("+", "-").replaceAll("/", "_");
  return padded ? text : text.replaceAll("=", "");
}
