//! What an option is for, in one sentence, whatever the format: for editors.

/// The sentence for an option of this name.
pub fn option_meaning(option: &str) -> Option<&'static str> {
    let found = MEANINGS.iter().find(|(name, _)| *name == option);
    found.map(|(_, meaning)| *meaning)
}

const MEANINGS: &[(&str, &str)] = &[
    ("alg", "The algorithm of the token's HMAC."),
    ("cipher", "The cipher that the site encrypts with."),
    (
        "derive",
        "Whether the site derives its key from a shorter secret.",
    ),
    ("digest", "The digest that the signature is made with."),
    (
        "encoded",
        "Whether the site percent-encodes what it writes.",
    ),
    ("encoding", "How the signature is written."),
    ("encrypted", "Whether the value is encrypted."),
    (
        "encryption_salt",
        "The salt of the encryption key, as the site's session options have it.",
    ),
    ("encryptor", "The version of the site's encryptor."),
    ("epoch", "The Unix second that its timestamps count from."),
    (
        "iat",
        "Whether every token has an iat, which then counts as the signed time.",
    ),
    ("id", "What the site calls its password."),
    (
        "iterations",
        "The rounds of PBKDF2 that the site is set to.",
    ),
    ("jar", "Which jar of the site writes the cookie."),
    ("kdf_digest", "The digest that the key is derived with."),
    (
        "key_derivation",
        "How the signing key is made from the secret and the salt.",
    ),
    ("key_version", "The version that the site calls its key by."),
    ("kid", "What the site calls its key in a token's header."),
    (
        "layout",
        "The layout of the value, where it is an older one.",
    ),
    ("prefix", "What the site writes in front of the value."),
    (
        "purpose",
        "Whether the value names the cookie that it is for.",
    ),
    ("salt", "The salt that the site signs with."),
    ("scheme", "The scheme of the salt."),
    ("sep", "What stands between value and signature."),
    (
        "signing_salt",
        "The salt of the signing key, as the site's session options have it.",
    ),
    ("timestamp", "Whether the site signs a time."),
    ("version", "The version of the layout."),
];
