//! Owns the tests of what lets clients in: logins, forms, signatures, patience.

use serde_json::json;

use super::{demo, get, post, send};

fn with_token(demo: &crate::demo::Demo, token: &str) -> super::Got {
    send(demo, "GET", "/me", &format!("Authorization: Bearer {token}\r\n"), b"")
}

#[test]
fn a_token_wears_out_and_is_refreshed() {
    let demo = demo(0.0);
    let login = post(&demo, "/login", &json!({ "username": "ada", "password": "?" })).json();
    let token = login["token"].as_str().unwrap();
    for left in (0..20).rev() {
        let me = with_token(&demo, token);
        assert_eq!(me.json(), json!({ "username": "ada", "uses_left": left }));
    }
    let expired = with_token(&demo, token);
    assert_eq!(expired.detail(), (401, "Token has expired".into()));
    assert_eq!(expired.headers("www-authenticate"), ["Bearer"]);

    let refresh = json!({ "refresh_token": login["refresh_token"] });
    let fresh = post(&demo, "/auth/refresh", &refresh);
    assert_eq!(fresh.status, 200);
    let token = fresh.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(with_token(&demo, &token).json(), json!({ "username": "ada", "uses_left": 19 }));

    let out = send(&demo, "POST", "/logout", &format!("Authorization: Bearer {token}\r\n"), b"");
    assert_eq!(out.status, 204);
    assert_eq!(with_token(&demo, &token).detail(), (401, "Unknown token".into()));
}

#[test]
fn who_is_not_known_is_told_so() {
    let demo = demo(0.0);
    assert_eq!(get(&demo, "/me").detail(), (401, "Not authenticated".into()));
    let wrong = post(&demo, "/auth/refresh", &json!({ "refresh_token": "x" }));
    assert_eq!(wrong.detail(), (401, "Unknown refresh token".into()));
    assert_eq!(post(&demo, "/auth/refresh", &json!({})).status, 422);
}

#[test]
fn basic_authentication_takes_any_pair_with_a_name() {
    let demo = demo(0.0);
    // The example of RFC 7617, and `:x`.
    let sent = "Authorization: basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n";
    let known = send(&demo, "GET", "/basic", sent, b"");
    assert_eq!(known.json(), json!({ "authenticated": true, "username": "Aladdin" }));
    for headers in ["", "Authorization: Basic Ong=\r\n", "Authorization: Basic ?\r\n"] {
        let unknown = send(&demo, "GET", "/basic", headers, b"");
        assert_eq!(unknown.status, 401, "{headers}");
        assert_eq!(unknown.headers("www-authenticate"), ["Basic realm=\"demo\""]);
    }
}

#[test]
fn a_form_is_taken_once_with_its_cookie_and_its_token() {
    let demo = demo(0.0);
    let form = get(&demo, "/form");
    let cookie = form.headers("set-cookie");
    assert_eq!(cookie, ["session=demo-session-1; HttpOnly; Path=/"]);
    let token = |form: &super::Got| {
        let (_, rest) = form.text().split_once("name=\"csrf_token\" value=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let first = token(&form);
    let fill = |cookie: &str, token: &str| {
        let headers =
            format!("{cookie}Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n");
        send(&demo, "POST", "/form", &headers, format!("name=a+b&csrf_token={token}").as_bytes())
    };
    let cookie = "Cookie: other=1; session=demo-session-1\r\n";
    let refused = (403, "CSRF token missing or incorrect".to_owned());
    assert_eq!(fill("", &first).detail(), refused);
    assert_eq!(fill(cookie, "wrong").detail(), refused);
    assert_eq!(fill(cookie, "").detail(), refused);
    let taken = fill(cookie, &first);
    assert_eq!((taken.status, taken.headers("location")), (303, vec!["/form/done"]));
    assert_eq!(fill(cookie, &first).detail(), refused);
    assert_eq!(fill(cookie, "").detail(), refused);

    // With its session a client gets a new token, and no new session.
    let again = send(&demo, "GET", "/form", cookie, b"");
    assert_eq!(again.headers("set-cookie"), Vec::<&str>::new());
    assert_ne!(token(&again), first);
    assert_eq!(fill(cookie, &token(&again)).status, 303);
    assert!(get(&demo, "/form/done").text().contains("<h1>Thank you</h1>"));
}

#[test]
fn pages_link_to_their_neighbours() {
    let demo = demo(0.0);
    let index = get(&demo, "/page");
    assert_eq!(index.headers("content-type"), ["text/html; charset=utf-8"]);
    assert_eq!(index.text().matches("<li><a href=\"/page/").count(), 9);
    for (page, links) in [("/page/1", 2), ("/page/5", 3), ("/page/9", 2)] {
        assert_eq!(get(&demo, page).text().matches("<a ").count(), links, "{page}");
    }
    for (asset, kind) in
        [("style.css", "text/css"), ("app.js", "text/javascript"), ("logo.svg", "image/svg+xml")]
    {
        assert!(index.text().contains(&format!("\"/static/{asset}\"")));
        assert_eq!(get(&demo, &format!("/static/{asset}")).headers("content-type"), [kind]);
    }
    for path in ["/page/0", "/page/10", "/page/x", "/static/x", "/page/"] {
        assert_eq!(get(&demo, path).status, 404, "{path}");
    }
}

#[test]
fn a_key_is_turned_away_twice() {
    let demo = demo(0.0);
    for key in ["a", "b"] {
        let path = format!("/flaky?key={key}");
        for _ in 0..2 {
            let away = get(&demo, &path);
            assert_eq!(away.detail(), (503, "Try again later".into()));
            assert_eq!(away.headers("retry-after"), ["1"]);
        }
        for tries in 3..5 {
            assert_eq!(get(&demo, &path).json(), json!({ "key": key, "tries": tries }));
        }
    }
    assert_eq!(get(&demo, "/flaky?key=c&times=0").status, 200);
}

#[test]
fn a_signature_must_fit_the_body() {
    let demo = demo(0.0);
    let body = br#"{"email":"a@example.com"}"#;
    // Of `openssl dgst -sha256 -hmac demo-secret`.
    let signature = "991f59a7155664b1b2c84a33cc9156df6db9dca4136e732d8f6f2df229abfe57";
    let sign = |headers: &str, body: &[u8]| send(&demo, "POST", "/signed", headers, body);
    let header = format!("X-Signature: {signature}\r\n");
    assert_eq!(sign(&header, body).json(), json!({ "signed": true, "size": body.len() }));
    let not = "The signature does not fit the body";
    assert_eq!(sign(&header, &body[1..]).detail(), (401, not.into()));
    let missing = "The header x-signature is missing";
    assert_eq!(sign("", body).detail(), (401, missing.into()));
}

#[test]
fn an_e_mail_is_taken_by_one_user() {
    let demo = demo(0.0);
    let ada = json!({ "email": "ada@example.com", "name": "Ada" });
    let first = post(&demo, "/users", &ada);
    assert_eq!(first.status, 201);
    assert_eq!(first.json(), json!({ "id": 1, "email": "ada@example.com", "name": "Ada" }));
    assert_eq!(post(&demo, "/users", &ada).detail(), (409, "The e-mail exists already".into()));
    assert_eq!(post(&demo, "/users", &json!({ "email": "b@example.com" })).json()["id"], 2);
    for wrong in [
        json!({}),
        json!({ "email": "x" }),
        json!({ "email": 1 }),
        json!({ "email": "x@".repeat(501) }),
    ] {
        assert_eq!(post(&demo, "/users", &wrong).status, 422, "{wrong}");
    }
}
