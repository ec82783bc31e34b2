//! A STAC API, played by a small server in the test.

use super::*;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server is asked: method, path with query, body.
type Asked = Arc<Mutex<Vec<(String, String, String)>>>;

/// Serves answers made by `answer(server address, method, path, body, number of requests before)`.
fn serve(
    answer: impl Fn(&str, &str, &str, &str, usize) -> (u16, String) + Send + 'static,
) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    let asked = Asked::default();
    let (server, log) = (address.clone(), Arc::clone(&asked));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let length = head.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            });
            let mut body = vec![0; length.unwrap_or(0)];
            if stream.read_exact(&mut body).is_err() {
                continue;
            }
            let body = String::from_utf8_lossy(&body).into_owned();
            let mut words = head.split(' ');
            let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let mut log = log.lock().expect("not poisoned");
            let (status, text) = answer(&server, method, path, &body, log.len());
            log.push((method.to_owned(), path.to_owned(), body));
            drop(log);
            let kind = if text.starts_with('<') {
                "text/html"
            } else {
                "application/geo+json"
            };
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                text.len()
            );
        }
    });
    (address, asked)
}

fn item(number: usize) -> Value {
    let band = |name: &str| {
        json!({"href": format!("../data/{number}/{name}.tif"), "type": "image/tiff; application=geotiff",
               "proj:shape": [10, 10], "proj:transform": [10, 0, 560_000, 0, -10, 1_150_000]})
    };
    json!({
        "type": "Feature", "stac_version": "1.0.0", "id": format!("S2_{number}"), "collection": "sentinel-2-l2a",
        "properties": {"datetime": format!("2022-01-{:02}T03:20:00Z", number + 1), "proj:epsg": 32648,
                       "s2:processing_baseline": "04.00"},
        "assets": {"B04": band("B04"), "B08": band("B08"), "SCL": band("SCL")},
    })
}

fn page(items: &[usize], next: Option<Value>) -> String {
    let features: Vec<_> = items.iter().map(|&number| item(number)).collect();
    json!({"type": "FeatureCollection", "features": features, "links": next.into_iter().collect::<Vec<_>>()})
        .to_string()
}

fn options() -> SourceOptions {
    SourceOptions {
        bbox: Some(Bounds::new(105.0, 10.0, 106.0, 11.0)),
        datetime: Some("2022-01-01/2022-02-28".parse().expect("interval")),
        limits: Limits {
            answer: Duration::from_millis(1500),
            pause: Duration::from_millis(5),
            retries: 2,
            ..Limits::default()
        },
        ..SourceOptions::default()
    }
}

fn ids(found: &Found) -> Vec<&str> {
    found.scenes.iter().map(|item| item.id.as_str()).collect()
}

fn root(server: &str, method: &str) -> String {
    json!({"type": "Catalog", "id": "x", "links": [
        {"rel": "search", "href": format!("{server}/api/search"), "method": method},
    ]})
    .to_string()
}

#[test]
fn a_get_search_follows_its_token_to_the_end() {
    let (address, asked) = serve(|server, _, path, _, _| match path {
        "/api" => (200, root(server, "GET")),
        path if path.contains("token=two") => (200, page(&[2], None)),
        _ => (
            200,
            page(
                &[0, 1],
                Some(json!({"rel": "next", "href": format!("{server}/api/search?token=two")})),
            ),
        ),
    });
    let found = discover(&format!("{address}/api"), &options()).expect("searched");
    assert_eq!(
        (ids(&found), &found.failures[..]),
        (vec!["S2_0", "S2_1", "S2_2"], &[][..])
    );
    assert_eq!(
        found.scenes[0].assets["red"].href,
        format!("{address}/data/0/B04.tif")
    );
    assert!((found.scenes[0].assets["red"].offset + 0.1).abs() < 1e-12);
    assert_eq!(
        found.scenes[0].grid,
        grid(10),
        "remote grids come from the metadata"
    );
    let asked = asked.lock().expect("not poisoned");
    let query = &asked[1].1;
    for part in [
        "bbox=105%2C10%2C106%2C11",
        "datetime=2021-12-31T17%3A00%3A00Z%2F",
        "collections=sentinel-2-l2a%2C",
        "limit=",
    ] {
        assert!(query.contains(part), "{query}");
    }
}

#[test]
fn a_post_search_merges_the_body_of_the_next_link() {
    let (address, asked) = serve(|server, method, path, body, _| {
        let next = json!({"rel": "next", "href": format!("{server}/api/search"), "method": "POST", "merge": true,
                          "body": {"token": "two"}});
        match (method, path) {
            (_, "/api/") => (200, root(server, "POST")),
            ("POST", _) if body.contains("token") => (200, page(&[1], None)),
            ("POST", _) => (200, page(&[0], Some(next))),
            _ => (405, "{}".into()),
        }
    });
    let found = discover(&format!("{address}/api/"), &options()).expect("searched");
    assert_eq!(
        (ids(&found), &found.failures[..]),
        (vec!["S2_0", "S2_1"], &[][..])
    );
    let asked = asked.lock().expect("not poisoned");
    let second: Value = serde_json::from_str(&asked[2].2).expect("a body");
    assert_eq!(
        (&second["token"], &second["bbox"]),
        (&json!("two"), &json!([105.0, 10.0, 106.0, 11.0]))
    );
}

#[test]
fn a_server_error_is_tried_again_and_then_named() {
    let (address, asked) = serve(|_, _, _, _, before| {
        if before == 0 {
            (503, "busy".into())
        } else {
            (200, page(&[0], None))
        }
    });
    assert_eq!(
        ids(&discover(&format!("{address}/search"), &options()).expect("searched")),
        ["S2_0"]
    );
    assert_eq!(asked.lock().expect("not poisoned").len(), 2);
    let (address, asked) = serve(|_, _, _, _, _| (500, "{\"detail\": \"database is down\"}".into()));
    let failure = only_failure(discover(&format!("{address}/search"), &options()).expect("answered"));
    assert!(
        failure.reason.contains("500") && failure.reason.contains("database is down"),
        "{failure:?}"
    );
    assert!(failure.reason.contains("after 3 tries"), "{failure:?}");
    assert_eq!(asked.lock().expect("not poisoned").len(), 3);
    let (address, asked) = serve(|_, _, _, _, _| (400, "{\"detail\": \"bbox\"}".into()));
    assert!(
        only_failure(discover(&format!("{address}/search"), &options()).expect("answered"))
            .reason
            .contains("400")
    );
    assert_eq!(
        asked.lock().expect("not poisoned").len(),
        1,
        "a refusal is not asked again"
    );
}

#[test]
fn pages_found_before_a_failing_one_are_kept() {
    let (address, _) = serve(|server, _, path, _, _| {
        if path.contains("token") {
            (500, "{}".into())
        } else {
            (
                200,
                page(
                    &[0],
                    Some(json!({"rel": "next", "href": format!("{server}/search?token=2")})),
                ),
            )
        }
    });
    let found = discover(&format!("{address}/search"), &options()).expect("answered");
    assert_eq!((ids(&found), found.failures.len()), (vec!["S2_0"], 1));
}

#[test]
fn html_with_status_200_is_no_catalogue() {
    let (address, _) = serve(|_, _, _, _, _| (200, "<html><title>Sign in</title></html>".into()));
    for path in ["", "/search"] {
        let failure = only_failure(discover(&format!("{address}{path}"), &options()).expect("answered"));
        assert!(
            failure.reason.contains("text/html") && failure.reason.contains("Sign in"),
            "{failure:?}"
        );
    }
}

#[test]
fn next_links_that_never_end_are_left() {
    // the same page under ever new tokens
    let (address, asked) = serve(|server, _, _, _, before| {
        let next = json!({"rel": "next", "href": format!("{server}/search?token={before}")});
        (200, page(&[0], Some(next)))
    });
    let found = discover(&format!("{address}/search"), &options()).expect("answered");
    assert_eq!((ids(&found), found.failures.len()), (vec!["S2_0"], 1));
    assert!(
        found.failures[0].reason.contains("circle"),
        "{:?}",
        found.failures
    );
    assert_eq!(asked.lock().expect("not poisoned").len(), 2);
    // empty pages without end
    let (address, _) = serve(|server, _, _, _, before| {
        (
            200,
            page(
                &[],
                Some(json!({"rel": "next", "href": format!("{server}/search?token={before}")})),
            ),
        )
    });
    let few = SourceOptions {
        limits: Limits {
            scenes: 300,
            ..options().limits
        },
        ..options()
    };
    let found = discover(&format!("{address}/search"), &few).expect("answered");
    assert!(
        found.failures[0].reason.contains("empty pages"),
        "{:?}",
        found.failures
    );
    // new scenes without end
    let (address, _) = serve(|server, _, _, _, before| {
        let next = json!({"rel": "next", "href": format!("{server}/search?token={before}")});
        (200, page(&[before % 28], Some(next)))
    });
    let few = SourceOptions {
        limits: Limits {
            scenes: 5,
            ..options().limits
        },
        ..options()
    };
    let found = discover(&format!("{address}/search"), &few).expect("answered");
    assert_eq!(found.scenes.len(), 5);
    assert!(
        found.failures[0].reason.contains("more than 5 scenes"),
        "{:?}",
        found.failures
    );
}

#[test]
fn items_of_the_network_may_not_name_local_files() {
    let (address, _) = serve(|_, _, _, _, _| {
        let mut bad = item(0);
        bad["assets"]["B04"]["href"] = json!("file:///etc/secret.tif");
        (200, bad.to_string())
    });
    let failure = only_failure(discover(&format!("{address}/item.json"), &options()).expect("answered"));
    assert!(failure.reason.contains("file:///etc/secret.tif"), "{failure:?}");
}

#[test]
fn a_search_needs_an_area_and_a_server() {
    let everywhere = SourceOptions {
        bbox: None,
        ..options()
    };
    let (address, _) = serve(|server, _, _, _, _| (200, root(server, "GET")));
    let error = discover(&address, &everywhere).expect_err("no area").to_string();
    assert!(error.contains("--bbox"), "{error}");
    let nobody = only_failure(discover("http://127.0.0.1:9/search", &options()).expect("answered"));
    assert!(nobody.reason.contains("cannot be reached"), "{nobody:?}");
    // a server that accepts and says nothing
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent = format!("http://{}/search", listener.local_addr().expect("bound"));
    let impatient = SourceOptions {
        limits: Limits {
            answer: Duration::from_millis(200),
            retries: 0,
            ..options().limits
        },
        ..options()
    };
    let silent = only_failure(discover(&silent, &impatient).expect("answered"));
    assert!(silent.reason.contains("did not answer in time"), "{silent:?}");
}
