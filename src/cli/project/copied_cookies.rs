//! Cookies that page scripts copy into a header or a form: these are never managed.

/// Names, in lower case and without separators, of tokens that are copied and are called neither csrf nor xsrf.
const COPIED: [&str; 2] = ["antiforgery", "requestverificationtoken"];

/// Whether a cookie of this name is a token against forged requests: the site would get the browser's copy of it in a
/// header or a form, and could not read what Countersign signed.
pub fn is_copied(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let bare: String = letters.collect::<String>().to_ascii_lowercase();
    let unprefixed = bare
        .strip_prefix("host")
        .or(bare.strip_prefix("secure"))
        .unwrap_or(&bare);
    COPIED.contains(&unprefixed) || ["csrf", "xsrf"].iter().any(|word| bare.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_against_forged_requests_are_known_by_their_names() {
        for name in [
            "csrftoken",
            "XSRF-TOKEN",
            "__Host-authjs.csrf-token",
            "_csrf",
            "__RequestVerificationToken",
            "__Host-antiforgery",
        ] {
            assert!(is_copied(name), "{name}");
        }
        for name in ["session", "sessionid", "connect.sid", "remember_token"] {
            assert!(!is_copied(name), "{name}");
        }
    }
}
