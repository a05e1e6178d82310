//! The ciphers that frameworks encrypt cookies with.
//!
//! Safety argument: AES-CBC, AES-CFB and AES-CTR authenticate nothing by themselves, so a format verifies its MAC
//! before it calls [`cbc_open`], [`cfb_open`] or [`ctr_apply`]; the other three verify their tag in constant time before they answer a byte. A nonce or
//! IV is drawn anew for each value that is sealed. Plaintexts are payloads, not keys, and are not wiped.

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{AesGcm, Nonce};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyIvInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ctr::CtrCore;
use ctr::cipher::StreamCipherCoreWrapper;
use ctr::flavors::Ctr128BE;
use poly1305::Poly1305;
use salsa20::XSalsa20;
use salsa20::cipher::StreamCipher;
use zeroize::Zeroizing;

use super::aes::Aes;
use super::aes_encrypt::AesEncrypt;
use super::equal;

use crate::prelude::*;

/// The length of an authentication tag in bytes.
pub const TAG: usize = 16;

/// A ciphertext and the tag that authenticates it.
pub type Sealed = (Vec<u8>, [u8; TAG]);

/// Encrypts with AES-CBC and PKCS #7 padding; the key has 16 or 32 bytes, else `None`.
pub fn cbc_seal(key: &[u8], iv: &[u8; 16], plaintext: &[u8]) -> Option<Vec<u8>> {
    let mode = cbc::Encryptor::inner_iv_init(Aes::new(key)?, iv.into());
    Some(mode.encrypt_padded_vec::<Pkcs7>(plaintext))
}

/// Decrypts what [`cbc_seal`] made and a MAC has vouched for; `None` where the padding is wrong.
pub fn cbc_open(key: &[u8], iv: &[u8; 16], ciphertext: &[u8]) -> Option<Vec<u8>> {
    let mode = cbc::Decryptor::inner_iv_init(Aes::new(key)?, iv.into());
    mode.decrypt_padded_vec::<Pkcs7>(ciphertext).ok()
}

/// Encrypts with AES-256-GCM, nothing but the plaintext authenticated.
pub fn gcm_seal(key: &[u8; 32], nonce: &[u8; 12], plaintext: &[u8]) -> Option<Sealed> {
    gcm_seal_beside(key, nonce, &[], plaintext)
}

/// Encrypts with AES-GCM, `aad` authenticated beside the plaintext; the key has 16 or 32 bytes, else `None`.
pub fn gcm_seal_beside(
    key: &[u8],
    nonce: &[u8; 12],
    aad: &[u8],
    plaintext: &[u8],
) -> Option<Sealed> {
    let mut text = plaintext.to_vec();
    let (nonce, buffer) = (Nonce::from(*nonce), text.as_mut_slice().into());
    let tag = gcm(key)?.encrypt_inout_detached(&nonce, aad, buffer).ok()?;
    Some((text, tag.into()))
}

/// Decrypts what [`gcm_seal`] made; `None` where the tag is another's.
pub fn gcm_open(
    key: &[u8; 32],
    nonce: &[u8; 12],
    ciphertext: &[u8],
    tag: &[u8; TAG],
) -> Option<Vec<u8>> {
    gcm_open_beside(key, nonce, &[], ciphertext, tag)
}

/// Decrypts AES-GCM, `aad` authenticated beside the plaintext; the key has 16 or 32 bytes. `None` where it
/// has not, and where the tag is another's.
pub fn gcm_open_beside(
    key: &[u8],
    nonce: &[u8; 12],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8; TAG],
) -> Option<Vec<u8>> {
    let mut text = ciphertext.to_vec();
    let (nonce, buffer) = (Nonce::from(*nonce), text.as_mut_slice().into());
    gcm(key)?
        .decrypt_inout_detached(&nonce, aad, buffer, tag.into())
        .ok()?;
    Some(text)
}

fn gcm(key: &[u8]) -> Option<AesGcm<Aes, U12>> {
    Aes::new(key).map(AesGcm::from)
}

/// Encrypts with AES-CFB in segments of a block; the key has 16, 24 or 32 bytes, else `None`.
pub fn cfb_seal(key: &[u8], iv: &[u8; 16], plaintext: &[u8]) -> Option<Vec<u8>> {
    let mut text = plaintext.to_vec();
    cfb_mode::Encryptor::inner_iv_init(AesEncrypt::new(key)?, iv.into()).encrypt(&mut text);
    Some(text)
}

/// Decrypts what [`cfb_seal`] made and a MAC has vouched for; `None` where the key has another length.
pub fn cfb_open(key: &[u8], iv: &[u8; 16], ciphertext: &[u8]) -> Option<Vec<u8>> {
    let mut text = ciphertext.to_vec();
    cfb_mode::Decryptor::inner_iv_init(AesEncrypt::new(key)?, iv.into()).decrypt(&mut text);
    Some(text)
}

/// Encrypts with AES-CTR, or decrypts what that made and a MAC has vouched for; the key has 16 or 32 bytes, else `None`.
pub fn ctr_apply(key: &[u8], iv: &[u8; 16], text: &mut [u8]) -> Option<()> {
    let core = CtrCore::<_, Ctr128BE>::inner_iv_init(Aes::new(key)?, iv.into());
    StreamCipherCoreWrapper::from_core(core).apply_keystream(text);
    Some(())
}

/// Encrypts with XChaCha20-Poly1305, `aad` authenticated beside the plaintext.
pub fn xchacha_seal(
    key: &[u8; 32],
    nonce: &[u8; 24],
    aad: &[u8],
    plaintext: &[u8],
) -> Option<Sealed> {
    let mut text = plaintext.to_vec();
    let tag = XChaCha20Poly1305::new(key.into())
        .encrypt_inout_detached(&XNonce::from(*nonce), aad, text.as_mut_slice().into())
        .ok()?;
    Some((text, tag.into()))
}

/// Decrypts what [`xchacha_seal`] made; `None` where the tag is another's.
pub fn xchacha_open(
    key: &[u8; 32],
    nonce: &[u8; 24],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8; TAG],
) -> Option<Vec<u8>> {
    let mut text = ciphertext.to_vec();
    XChaCha20Poly1305::new(key.into())
        .decrypt_inout_detached(
            &XNonce::from(*nonce),
            aad,
            text.as_mut_slice().into(),
            tag.into(),
        )
        .ok()?;
    Some(text)
}

/// Encrypts as NaCl's `secretbox` does (XSalsa20-Poly1305).
pub fn secretbox_seal(key: &[u8; 32], nonce: &[u8; 24], plaintext: &[u8]) -> Sealed {
    let mut text = plaintext.to_vec();
    let (mut stream, mac_key) = secretbox_stream(key, nonce);
    stream.apply_keystream(&mut text);
    let tag = secretbox_tag(&mac_key, &text);
    (text, tag)
}

/// Decrypts what [`secretbox_seal`] made; `None` where the tag is another's.
pub fn secretbox_open(
    key: &[u8; 32],
    nonce: &[u8; 24],
    ciphertext: &[u8],
    tag: &[u8; TAG],
) -> Option<Vec<u8>> {
    let (mut stream, mac_key) = secretbox_stream(key, nonce);
    if !equal(&secretbox_tag(&mac_key, ciphertext), tag) {
        return None;
    }
    let mut text = ciphertext.to_vec();
    stream.apply_keystream(&mut text);
    Some(text)
}

/// The key stream behind its first 32 bytes, which are the MAC's one-time key.
fn secretbox_stream(key: &[u8; 32], nonce: &[u8; 24]) -> (XSalsa20, Zeroizing<[u8; 32]>) {
    let mut stream = XSalsa20::new(key.into(), nonce.into());
    let mut mac_key = Zeroizing::new([0; 32]);
    stream.apply_keystream(&mut *mac_key);
    (stream, mac_key)
}

fn secretbox_tag(mac_key: &[u8; 32], ciphertext: &[u8]) -> [u8; TAG] {
    Poly1305::new(mac_key.into())
        .compute_unpadded(ciphertext)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::encoding::from_hex;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        from_hex(hex).unwrap().try_into().unwrap()
    }

    // NIST SP 800-38A, F.2.1 and F.2.5: the first block of each; PKCS #7 adds one more.
    #[test]
    fn cbc_matches_nist() {
        let iv = bytes("000102030405060708090a0b0c0d0e0f");
        let plaintext: [u8; 16] = bytes("6bc1bee22e409f96e93d7e117393172a");
        for (key, expected) in [
            (
                "2b7e151628aed2a6abf7158809cf4f3c",
                "7649abac8119b246cee98e9b12e9197d",
            ),
            (
                "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
                "f58c4c04d6e5f1ba779eabfb5f7bfbd6",
            ),
        ] {
            let key = from_hex(key).unwrap();
            let sealed = cbc_seal(&key, &iv, &plaintext).unwrap();
            assert_eq!(sealed[..16], bytes::<16>(expected));
            assert_eq!(cbc_open(&key, &iv, &sealed).unwrap(), plaintext);
            assert_eq!(cbc_open(&key, &iv, &sealed[..16]), None);
            assert_eq!(cbc_open(&key, &iv, &sealed[..15]), None);
            assert_eq!(cbc_open(&key, &iv, b""), None);
        }
        assert_eq!(cbc_seal(&[0; 24], &iv, b"x"), None);
    }

    // NIST SP 800-38A, F.3.17: the first block, and a part of the second.
    #[test]
    fn cfb_matches_nist() {
        let key: [u8; 32] =
            bytes("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
        let iv = bytes("000102030405060708090a0b0c0d0e0f");
        let plaintext: [u8; 20] = bytes("6bc1bee22e409f96e93d7e117393172aae2d8a57");
        let sealed = cfb_seal(&key, &iv, &plaintext).unwrap();
        assert_eq!(
            sealed[..],
            bytes::<20>("dc7e84bfda79164b7ecd8486985d386039ffed14")
        );
        assert_eq!(cfb_open(&key, &iv, &sealed).unwrap(), plaintext);
        // F.3.15
        let key: [u8; 24] = bytes("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b");
        let sealed = cfb_seal(&key, &iv, &plaintext[..16]).unwrap();
        assert_eq!(sealed[..], bytes::<16>("cdc80d6fddf18cab34c25909c99a4174"));
        assert_eq!(cfb_open(&key, &iv, &sealed).unwrap(), plaintext[..16]);
        assert_eq!(cfb_seal(&key[..23], &iv, &plaintext), None);
    }

    // NIST SP 800-38A, F.5.5: the first two blocks.
    #[test]
    fn ctr_matches_nist() {
        let key: [u8; 32] =
            bytes("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
        let iv = bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
        let plaintext: [u8; 32] =
            bytes("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
        let mut text = plaintext;
        ctr_apply(&key, &iv, &mut text).unwrap();
        assert_eq!(
            text,
            bytes("601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5")
        );
        ctr_apply(&key, &iv, &mut text).unwrap();
        assert_eq!(text, plaintext);
        assert_eq!(ctr_apply(&key[..24], &iv, &mut text), None);
    }

    // The GCM specification (McGrew and Viega), test case 14.
    #[test]
    fn gcm_matches_its_specification() {
        let (text, tag) = gcm_seal(&[0; 32], &[0; 12], &[0; 16]).unwrap();
        assert_eq!(text, bytes::<16>("cea7403d4d606b6e074ec5d3baf39d18"));
        assert_eq!(tag, bytes("d0d1c8a799996bf0265b98b5d48ab919"));
        assert_eq!(gcm_open(&[0; 32], &[0; 12], &text, &tag), Some(vec![0; 16]));
        assert_eq!(gcm_open(&[0; 32], &[0; 12], &text, &[0; 16]), None);
    }

    // draft-irtf-cfrg-xchacha-03, section A.3.1
    #[test]
    fn xchacha_matches_its_draft() {
        let key = bytes("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
        let nonce = bytes("404142434445464748494a4b4c4d4e4f5051525354555657");
        let aad: [u8; 12] = bytes("50515253c0c1c2c3c4c5c6c7");
        let plaintext = b"Ladies and Gentlemen of the class of '99: If I could offer you \
            only one tip for the future, sunscreen would be it.";
        let (text, tag) = xchacha_seal(&key, &nonce, &aad, plaintext).unwrap();
        assert_eq!(text[..8], bytes::<8>("bd6d179d3e83d43b"));
        assert_eq!(tag, bytes("c0875924c1c7987947deafd8780acf49"));
        assert_eq!(
            xchacha_open(&key, &nonce, &aad, &text, &tag).unwrap(),
            plaintext
        );
        assert_eq!(xchacha_open(&key, &nonce, b"", &text, &tag), None);
    }

    // NaCl's own test, tests/secretbox.c: the tag and the first bytes.
    #[test]
    fn secretbox_matches_nacl() {
        let key = bytes("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389");
        let nonce = bytes("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
        let plaintext = from_hex(
            "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffc\
             e5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb31\
             0e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde\
             048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f93776384864\
             5e0705",
        )
        .unwrap();
        let (text, tag) = secretbox_seal(&key, &nonce, &plaintext);
        assert_eq!(tag, bytes("f3ffc7703f9400e52a7dfb4b3d3305d9"));
        assert_eq!(text[..8], bytes::<8>("8e993b9f48681273"));
        assert_eq!(
            secretbox_open(&key, &nonce, &text, &tag).unwrap(),
            plaintext
        );
        assert_eq!(secretbox_open(&key, &nonce, &text[1..], &tag), None);
    }
}
