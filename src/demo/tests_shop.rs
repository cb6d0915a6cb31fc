//! Owns the tests of what clients make and fetch: products, carts, jobs, events, projects, uploads,
//! GraphQL.

use serde_json::{Value, json};

use super::{demo, get, post, send};

#[test]
fn products_come_page_by_page_until_there_are_no_more() {
    let demo = demo(0.0);
    let (mut path, mut ids, mut pages) = ("/products".to_owned(), Vec::new(), 0);
    loop {
        let got = get(&demo, &path);
        let page = got.json();
        pages += 1;
        assert_eq!((&page["page"], &page["pages"]), (&json!(pages), &json!(5)));
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        let Some(next) = page["next"].as_str() else {
            assert_eq!(got.headers("link"), Vec::<&str>::new());
            break;
        };
        assert_eq!(got.headers("link"), [format!("<http://x{next}>; rel=\"next\"")]);
        path = next.to_owned();
    }
    assert_eq!(ids, (1..=47).map(Value::from).collect::<Vec<_>>());
    let one = get(&demo, "/products/7");
    assert_eq!(one.json(), json!({ "id": 7, "name": "Clock 7", "price": 75.40 }));
}

#[test]
fn pages_that_do_not_exist_are_empty_and_sizes_have_bounds() {
    let demo = demo(0.0);
    let beyond = get(&demo, "/products?page=99").json();
    assert_eq!((&beyond["items"], &beyond["next"]), (&json!([]), &Value::Null));
    let counted = |path: &str| get(&demo, path).json()["items"].as_array().unwrap().len();
    assert_eq!(counted("/products?limit=0"), 1);
    assert_eq!(counted("/products?limit=1000&page=-1"), 47);
    assert_eq!(counted("/products?page=9223372036854775807&limit=100"), 0);
    assert_eq!(get(&demo, "/products?page=x").status, 422);
    for path in ["/products/0", "/products/48", "/products/x"] {
        assert_eq!(get(&demo, path).detail(), (404, "Product not found".into()));
    }
}

#[test]
fn a_cart_is_filled_and_paid_once() {
    let demo = demo(0.0);
    let price = get(&demo, "/products/7").json()["price"].as_f64().unwrap();
    let cart = post(&demo, "/cart", &json!({ "product": 7 }));
    assert_eq!(cart.status, 201);
    assert_eq!(cart.json(), json!({ "cart": 1, "items": 1, "total": price }));
    let more = post(&demo, "/cart", &json!({ "product": "7", "quantity": 2, "cart": 1 })).json();
    assert_eq!((&more["cart"], &more["items"]), (&json!(1), &json!(3)));
    assert_eq!(post(&demo, "/cart", &json!({ "product": 1 })).json()["cart"], 2);

    let declined = post(&demo, "/checkout", &json!({ "cart": 1, "card": "4000000000000002" }));
    assert_eq!(declined.detail(), (402, "Card declined".into()));
    let pay = json!({ "cart": 1, "card": "4242424242424242" });
    let paid = post(&demo, "/checkout", &pay);
    assert_eq!(paid.json(), json!({ "order": 1, "status": "paid", "total": more["total"] }));
    assert_eq!(post(&demo, "/checkout", &pay).detail(), (404, "Cart not found".into()));
    assert_eq!(post(&demo, "/cart", &json!({ "product": 1, "cart": 1 })).status, 404);
    for wrong in [json!({}), json!({ "product": "x" })] {
        assert_eq!(post(&demo, "/cart", &wrong).status, 422, "{wrong}");
    }
}

#[test]
fn a_job_is_done_after_some_looks() {
    let demo = demo(0.0);
    for (begin, looks) in [("/jobs", 3), ("/jobs?polls=1", 1)] {
        let job = send(&demo, "POST", begin, "", b"");
        assert_eq!(job.status, 202);
        let path = format!("/jobs/{}", job.json()["id"]);
        assert_eq!(job.headers("location"), [path.as_str()]);
        for look in 1..looks + 2 {
            let state = if look < looks { "running" } else { "done" };
            assert_eq!(get(&demo, &path).json()["state"], state, "{begin} {look}");
        }
    }
    assert_eq!(get(&demo, "/jobs/9").detail(), (404, "Job not found".into()));
}

#[test]
fn an_event_wakes_those_who_wait_for_it() {
    let demo = demo(0.0);
    assert_eq!(get(&demo, "/events?wait=0").status, 204);
    std::thread::scope(|scope| {
        // Whichever comes first: the event is there before, or while it is waited for. A wait that
        // ends too early is tried again.
        let waiting = scope.spawn(|| {
            loop {
                let got = get(&demo, "/events?after=0&wait=2000");
                if got.status != 204 {
                    return got.json();
                }
            }
        });
        assert_eq!(post(&demo, "/events", &json!({ "text": "hello" })).json(), json!({ "id": 1 }));
        let want = json!({ "events": [{ "id": 1, "text": "hello" }], "last": 1 });
        assert_eq!(waiting.join().unwrap(), want);
    });
    post(&demo, "/events", &json!({ "text": "again" }));
    let newer = get(&demo, "/events?after=1").json();
    assert_eq!(newer, json!({ "events": [{ "id": 2, "text": "again" }], "last": 2 }));
    assert_eq!(get(&demo, "/events?after=2&wait=1").status, 204);
    assert_eq!(post(&demo, "/events", &json!({})).status, 422);
}

#[test]
fn old_events_are_forgotten() {
    let demo = demo(0.0);
    for _ in 0..1_001 {
        post(&demo, "/events", &json!({ "text": "x" }));
    }
    let got = get(&demo, "/events?after=0").json();
    let events = got["events"].as_array().unwrap();
    assert_eq!((events.len(), &events[0]["id"], &got["last"]), (100, &json!(2), &json!(101)));
}

#[test]
fn a_project_keeps_todos_of_its_own_until_it_is_deleted() {
    let demo = demo(0.0);
    let project = post(&demo, "/projects", &json!({ "name": "perf" }));
    assert_eq!(project.status, 201);
    assert_eq!(project.json(), json!({ "id": 1, "name": "perf", "made": 0 }));
    assert_eq!(send(&demo, "POST", "/projects", "", b"").json()["name"], "project 2");
    let todo = post(&demo, "/projects/1/todos", &json!({ "title": "a" }));
    assert_eq!(todo.status, 201);
    assert_eq!(todo.json(), json!({ "id": 1, "project": 1, "title": "a" }));
    assert_eq!(get(&demo, "/projects/1/todos").json(), json!([todo.json()]));
    assert_eq!(get(&demo, "/projects/2/todos").json(), json!([]));
    assert_eq!(get(&demo, "/projects/1").json()["made"], 1);
    assert_eq!(get(&demo, "/todos/").json(), json!([]));

    let delete = |path: &str| send(&demo, "DELETE", path, "", b"").status;
    assert_eq!((delete("/projects/1/todos"), delete("/projects/1/todos")), (204, 204));
    assert_eq!(get(&demo, "/projects/1/todos").json(), json!([]));
    assert_eq!((delete("/projects/1"), delete("/projects/1")), (204, 404));
    for path in ["/projects/1", "/projects/1/todos", "/projects/x/todos"] {
        assert_eq!(get(&demo, path).detail(), (404, "Project not found".into()));
    }
    assert_eq!(post(&demo, "/projects/1/todos", &json!({ "title": "a" })).status, 404);
    assert_eq!(post(&demo, "/projects/2/todos", &json!({})).status, 422);
}

#[test]
fn an_upload_is_told_part_by_part() {
    let demo = demo(0.0);
    let mut body = b"--b1\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\n--b1\r\n\
        Content-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
        .to_vec();
    // More than other requests may have.
    body.resize(body.len() + (2 << 20), 0);
    body.extend_from_slice(b"\r\n--b1--\r\n");
    let headers = "Content-Type: multipart/form-data; boundary=b1\r\n";
    let got = send(&demo, "POST", "/upload", headers, &body);
    assert_eq!(got.status, 201, "{}", got.text());
    let told = got.json();
    assert_eq!(told["size"], 2 + (2 << 20));
    let [note, photo] = told["parts"].as_array().unwrap().as_slice() else { panic!("{told}") };
    // Of `printf hi | sha256sum`.
    let sha256 = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4";
    let want = json!({
        "name": "note", "filename": null, "content_type": null, "size": 2,
        "sha256": sha256, "value": "hi",
    });
    assert_eq!(*note, want);
    assert_eq!(
        [&photo["name"], &photo["filename"], &photo["content_type"], &photo["value"]],
        [&json!("photo"), &json!("a.png"), &json!("image/png"), &Value::Null]
    );
    let wrong = post(&demo, "/upload", &json!({}));
    assert_eq!(wrong.detail(), (400, "The content type is not multipart/form-data".into()));
}

#[test]
fn graphql_makes_and_reads_todos() {
    let demo = demo(0.0);
    let ask = |query: &str, variables: Value| {
        let got = post(&demo, "/graphql", &json!({ "query": query, "variables": variables }));
        (got.status, got.json())
    };
    let create = "mutation Add($t: String!) { new: createTodo(title: $t) { id title completed } }";
    let made = json!({ "data": { "new": { "id": 1, "title": "a", "completed": false } } });
    assert_eq!(ask(create, json!({ "t": "a" })), (200, made));
    assert_eq!(get(&demo, "/todos/1").json()["title"], "a");
    let one = "query ($id: ID!) { todo(id: $id) { title __typename } }";
    let found = json!({ "data": { "todo": { "title": "a", "__typename": "Todo" } } });
    assert_eq!(ask(one, json!({ "id": "1" })), (200, found));
    assert_eq!(ask(one, json!({ "id": 9 })), (200, json!({ "data": { "todo": null } })));
    let all = json!({ "data": { "todos": [{ "id": 1 }] } });
    assert_eq!(ask("{ todos { id } }", Value::Null), (200, all));
}

#[test]
fn what_graphql_does_not_know_comes_as_errors() {
    let demo = demo(0.0);
    for (query, status, message) in [
        ("{ user { id } }", 200, "Cannot query field \"user\" on type \"Query\"."),
        ("{ todo(id: 1) { owner } }", 200, "Cannot query field \"owner\" on type \"Todo\"."),
        (
            "mutation { createTodo(title: \"x\") { owner } }",
            200,
            "Cannot query field \"owner\" on type \"Todo\".",
        ),
        (
            "{ todo(id: 1) }",
            200,
            "Field \"todo\" of type \"Todo\" must have a selection of subfields.",
        ),
        (
            "{ todo { id } }",
            200,
            "Field \"todo\" argument \"id\" is required, but it was not given.",
        ),
        ("{ todo(", 400, "Syntax Error: Expected Name, found <EOF>."),
    ] {
        let got = post(&demo, "/graphql", &json!({ "query": query }));
        assert_eq!(got.status, status, "{query}");
        assert_eq!(got.json(), json!({ "errors": [{ "message": message }] }), "{query}");
    }
    assert_eq!(get(&demo, "/todos/").json(), json!([]), "a wrong query makes nothing");
    assert_eq!(post(&demo, "/graphql", &json!({})).status, 422);
}
