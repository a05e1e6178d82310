//! The tests' own signer against values that the real Django 5.2.19 and 2.2.28 made.

use crate::django::{
    Hash, Signer, hash_layout, messages, sessions, signed_cookie, signed_cookie_v1, signer,
};

#[test]
fn it_makes_the_sessions_that_django_makes() {
    assert_eq!(
        sessions().sign(
            "*9j_lyp-*)l&zr9%ld(_3!-9rxlx(osik4oapt2re-q%*m3v=m",
            "eyJ1c2VyX2lkIjo0ODI5NDEsIm5hbWUiOiJkZSJ9",
            1_749_952_147
        ),
        "eyJ1c2VyX2lkIjo0ODI5NDEsIm5hbWUiOiJkZSJ9:1uQcUd:tm-22BD_DjNSbP6FYIfcZWxiD8TC-eqNS2zvQLPf86I"
    );
}

#[test]
fn it_makes_the_messages_that_django_makes() {
    assert_eq!(
        messages().sign(
            "HSz2UqoZ772JSCvs",
            "W1siX19qc29uX21lc3NhZ2UiLDAsMjAsInNheSBcImhpXCIsIDIwOyBiYWNrXFxzbGFzaCAvICh4KSBbeV0ge3p9IDxhQGI-ID89MVxuJDE6MiQiLCIiXV0",
            1_798_680_061
        ),
        "W1siX19qc29uX21lc3NhZ2UiLDAsMjAsInNheSBcImhpXCIsIDIwOyBiYWNrXFxzbGFzaCAvICh4KSBbeV0ge3p9IDxhQGI-ID89MVxuJDE6MiQiLCIiXV0:1xj4qj:Taa77a25JPX7BandRl3ozzyWFCEULLFurDItoe3b9gs"
    );
    assert_eq!(
        hash_layout(
            "m6*odju%4r=an7$s03va)qo$aoqlbx+cm#m4yl#_ols(hd=eeu",
            r#"[["__json_message",0,20,"Profile saved."]]"#
        ),
        r#""50f10968a52539a24cc2a71f1bec4073958f01ef$[[\"__json_message\"\0540\05420\054\"Profile saved.\"]]""#
    );
}

#[test]
fn it_makes_the_signed_cookies_that_django_makes() {
    assert_eq!(
        signed_cookie("sid_61", "ns-uHQr").sign(
            "nfvgs2cuWyjD3ZPHC6mj6LLhyeMVbVjE5jXLZCige2tZIf3IFheazTQ6QG+Ba9l3nHs1wKYvKGQi3GIstevUQA==",
            "visits-22331",
            1_648_928_451
        ),
        "visits-22331:1najcB:WCSoUi2T56bkFehFUGvIEb-hmr2_L1sAkAkt_wRERvI"
    );
    assert_eq!(
        signed_cookie("trk", "").sign(
            "%fcq_1p(-c=a3nr%=ta=($++1hcw1dmkeiz8d%-*o4z2(6o7o*",
            "Zoë ñandú ÿ",
            1_796_303_513
        ),
        r#""Zo\353 \361and\372 \377:1xZ6bJ:YsCUt5N8sI3uZEbSK9mQIwhrTsf4I3Md7ornZgGZkNs""#
    );
    assert_eq!(
        signed_cookie_v1("login", "").with(Hash::Sha1).sign(
            "qv=%#302jm7tqm0o^ce2b^1507^#x7x+-d8s2sd0kr2+2w7y_8",
            "visits-22330",
            1_605_882_695
        ),
        "visits-22330:1kg7Rn:pB3pBx4IZsz7RjwHmyKFHc4y9HU"
    );
}

#[test]
fn it_makes_what_django_signs_without_a_time() {
    let untimed = Signer {
        timed: false,
        sep: "~",
        ..signer("django.core.signing.Signer")
    };
    assert_eq!(
        untimed.sign(
            "@n$@#8$ek!gyx3^h9a#w2(sw#)uw9kni9=9g8_l)=$3j1^u_nd",
            "ñ~b:c-120",
            0
        ),
        r#""\361~b:c-120~D0NgRYIoHInFkppTKlh9D5x5yagplqrGNgFuuDMBygc""#
    );
}
